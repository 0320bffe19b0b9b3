import { expect, test } from "vitest";
import { fillVerification, type Verification } from "../../../src/failover/index.ts";

const filling = { site: "fra", nonce: "n-1", variables: { gateway: "10.0.0.1:7080", tenant: "a" } };

test("every text is filled, in lists and members too; names of members and numbers stay", () => {
  const verification: Verification = {
    kind: "http",
    url: "http://{gateway}/health?n={nonce}",
    binding: "echo",
    body: { "{tenant}": ["{site}", 7, null, true] },
    expect: { json: { "/site": "{site}" } },
  };
  expect(fillVerification(verification, filling)).toEqual({
    ok: true,
    value: {
      kind: "http",
      url: "http://10.0.0.1:7080/health?n=n-1",
      binding: "echo",
      body: { "{tenant}": ["fra", 7, null, true] },
      expect: { json: { "/site": "fra" } },
    },
  });
});

test("a name that nothing is known of is an error that says where, and what is known", () => {
  const exec: Verification = { kind: "exec", command: ["check", "{sight}"], binding: "echo" };
  expect(fillVerification(exec, filling)).toEqual({
    ok: false,
    error:
      "verify.command[1]: nothing is known of {sight}. Known at site fra: {gateway}, {nonce}, {site}, {tenant}",
  });
});

test("names that every object has are known no better", () => {
  const exec: Verification = { kind: "exec", command: ["{constructor}"], binding: "echo" };
  expect(fillVerification(exec, filling)).toMatchObject({ ok: false });
});

test("a variable cannot take the place of the site or the nonce", () => {
  const exec: Verification = { kind: "exec", command: ["{site}", "{nonce}"], binding: "echo" };
  const variables = { site: "dub", nonce: "old" };
  expect(fillVerification(exec, { ...filling, variables })).toMatchObject({
    value: { command: ["fra", "n-1"] },
  });
});

test("what a variable holds is not looked at again", () => {
  const exec: Verification = { kind: "exec", command: ["{gateway}"], binding: "echo" };
  const variables = { gateway: "{nonce}" };
  expect(fillVerification(exec, { ...filling, variables })).toMatchObject({
    value: { command: ["{nonce}"] },
  });
});

test("doubled braces, and braces around what is no name, stand for themselves", () => {
  const command = ["{{site}}", '{"a": 1}', "{}", "{ site }", "a{1}"] as const;
  const exec: Verification = { kind: "exec", command: [...command], binding: "echo" };
  expect(fillVerification(exec, filling)).toMatchObject({
    value: { command: ["{site}", '{"a": 1}', "{}", "{ site }", "a{1}"] },
  });
});
