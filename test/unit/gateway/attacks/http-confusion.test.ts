/** One request, two readings, at the HTTP face. */
import { expect, test } from "vitest";
import { routeTable } from "../../../../src/gateway/http-tools/index.ts";
import { frontRequest } from "../fake-spine.ts";
import { upstream, world } from "../http-tools/pay-world.ts";

const built = routeTable([
  { method: "GET", template: "/users/{id}" },
  { method: "GET", template: "/users/admin" },
  {
    method: "POST",
    template: "/users",
    argsSchema: {
      type: "object",
      properties: { body: { type: "object", properties: { role: { type: "string" } } } },
    },
  },
]);
if (!built.ok) throw new Error(built.error.join());
const of = { ...upstream(), routes: built.value };
const form = { "content-type": "application/x-www-form-urlencoded" };

test.each([
  ["GET", "/http/pay/users/ADMIN", undefined, {}, 404],
  ["GET", "/http/pay/users/adm\u0131n".normalize(), undefined, {}, 400],
  ["POST", "/http/pay/users?_method=DELETE", { role: "x" }, {}, 400],
  ["POST", "/http/pay/users?_METHOD=DELETE", { role: "x" }, {}, 400],
  ["POST", "/http/pay/users", "role=x&_method=PUT", form, 400],
  ["POST", "/http/pay/users", "role=x&ROLE=admin", form, 400],
  ["GET", "/http/pay/users/1?id=1&ID=2", undefined, {}, 400],
  ["POST", "/http/pay/users", { role: "x", Role: "admin" }, {}, 400],
  ["POST", "/http/pay/users", { Role: "admin" }, {}, 400],
  [
    "POST",
    "/http/pay/users",
    '{"role":"x"}',
    { "content-type": "application/json;charset=utf-7" },
    415,
  ],
] as const)("%s %s %j is refused, and nothing is judged or sent", async (...row) => {
  const [method, target, body, headers, status] = row;
  const { face, spine, transport } = world(undefined, undefined, of);
  expect((await face(frontRequest(method, target, body, headers))).status).toBe(status);
  expect([spine.asked, transport.sent]).toEqual([[], []]);
});

test("the plain forms of the same go through", async () => {
  const { face, spine } = world(undefined, undefined, of);
  await face(frontRequest("GET", "/http/pay/users/admin"));
  await face(frontRequest("GET", "/http/pay/users/Ada"));
  await face(frontRequest("POST", "/http/pay/users", { role: "x" }));
  expect(spine.asked.map(({ tool }) => tool)).toEqual([
    "pay:GET /users/admin",
    "pay:GET /users/{id}",
    "pay:POST /users",
  ]);
});
