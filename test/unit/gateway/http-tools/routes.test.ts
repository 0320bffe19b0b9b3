/** Method and path to tool: the most specific template wins, and nothing is ambiguous. */
import { expect, test } from "vitest";
import {
  fillTemplate,
  type HttpRoute,
  type RouteTable,
  routeTable,
} from "../../../../src/gateway/http-tools/routes.ts";

function table(...routes: readonly string[]): RouteTable {
  const built = routeTable(routes.map(routeOf));
  if (!built.ok) throw new Error(built.error.join("\n"));
  return built.value;
}

function routeOf(text: string): HttpRoute {
  const [method = "", template = ""] = text.split(" ");
  return { method, template };
}

const which = (routes: RouteTable, method: string, path: string): string => {
  const match = routes.match(method, path.slice(1).split("/"));
  return match.kind === "route" ? match.route.template : match.kind;
};

test("the leftmost more literal segment wins, in whatever order routes are listed", () => {
  const listed = ["GET /{a}/c", "GET /a/{b}", "GET /a/c", "GET /a/x-{b}", "GET /a/x-{b}.json"];
  for (const order of [listed, [...listed].reverse()]) {
    const routes = table(...order);
    expect(which(routes, "GET", "/a/c")).toBe("/a/c");
    expect(which(routes, "GET", "/a/z")).toBe("/a/{b}");
    expect(which(routes, "GET", "/z/c")).toBe("/{a}/c");
    expect(which(routes, "GET", "/a/x-1")).toBe("/a/x-{b}");
    expect(which(routes, "GET", "/a/x-1.json")).toBe("/a/x-{b}.json");
    expect(which(routes, "GET", "/z/z")).toBe("none");
  }
});

test("a variable is one whole segment, never empty", () => {
  const routes = table("GET /a/{b}");
  expect(which(routes, "GET", "/a/")).toBe("none");
  expect(which(routes, "GET", "/a")).toBe("none");
  expect(which(routes, "GET", "/a/b/c")).toBe("none");
  expect(routes.match("GET", ["a", "b c"])).toMatchObject({ path: { b: "b c" } });
});

test("the path decides before the method; HEAD falls to GET", () => {
  const routes = table("GET /a/b", "POST /a/{x}");
  expect(routes.match("POST", ["a", "b"])).toEqual({ kind: "wrong_method", allowed: ["GET"] });
  expect(which(routes, "HEAD", "/a/b")).toBe("/a/b");
  expect(which(routes, "HEAD", "/a/c")).toBe("wrong_method");
});

test("what could not be told apart is refused when built", () => {
  const problems = (...routes: string[]): readonly string[] => {
    const built = routeTable(routes.map(routeOf));
    return built.ok ? [] : built.error;
  };
  expect(problems("GET /a/{b}", "GET /a/{c}")[0]).toMatch(/match the same paths/);
  expect(problems("GET /a", "GET /a")[0]).toMatch(/listed twice/);
  expect(problems("GET /a/{b}{c}")[0]).toMatch(/must hold one/);
  expect(problems("GET /{b}/{b}")[0]).toMatch(/occurs twice/);
  expect(problems("GET /a/../b")[0]).toMatch(/dot segment/);
  expect(problems("GET a")[0]).toMatch(/begins with/);
  expect(problems("GET /a/{b}", "POST /a/{b}")).toEqual([]);
});

test("a filled template is the path that matched", () => {
  const values: Readonly<Record<string, string>> = { a: "1", b: "x y" };
  expect(fillTemplate("/p/{a}/v-{b}.json", (name) => values[name])).toEqual([
    "p",
    "1",
    "v-x y.json",
  ]);
  expect(fillTemplate("/p/{missing}", (name) => values[name])).toBe(undefined);
  expect(fillTemplate("/p/{a}", () => "")).toBe(undefined);
});
