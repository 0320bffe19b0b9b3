/** Who is recognised by what, and that nobody answers under another spelling of their own name. */
import { expect, test } from "vitest";
import { isRequester } from "../../../src/approvals/index.ts";
import { Approvers } from "../../../src/control/index.ts";
import { sha256 } from "../../../src/kernel/index.ts";

const none = { groups: [], alsoKnownAs: [] };
const all = new Approvers([
  { ...none, id: "a", name: "A", oidc: { subject: "s-a" }, tokenSha256: sha256("token-a") },
  { ...none, id: "b", name: "B", oidc: { email: "b@x.test" }, tokenSha256: sha256("token-b") },
  { ...none, id: "bot", name: "Bot", agent: "review-bot" },
]);
const signedIn = (subject: string, email?: string, emailVerified = true): string | undefined =>
  all.bySignedIn({
    ...{ issuer: "i", subject, emailVerified },
    ...(email === undefined ? {} : { email }),
  })?.id;

test("by subject, by a verified address, by token, by agent, and by nothing else", () => {
  expect(signedIn("s-a")).toBe("a");
  expect(signedIn("other", "B@X.test")).toBe("b");
  expect(signedIn("other", "b@x.test", false)).toBeUndefined();
  expect(signedIn("b@x.test")).toBeUndefined();
  expect(signedIn("b")).toBeUndefined();
  expect(signedIn("s-A")).toBeUndefined();
  expect([all.byToken("token-b")?.id, all.byToken("token-c")?.id]).toEqual(["b", undefined]);
  expect([all.byAgent("review-bot")?.id, all.byAgent("bot")?.id]).toEqual(["bot", undefined]);
});

test("what the provider calls somebody is one of their names, verified or not", () => {
  const found = all.bySignedIn({
    ...{ issuer: "i", subject: "s-a", email: "A@X.test", emailVerified: false },
  });
  expect(found?.alsoKnownAs).toEqual(["s-a", "A@X.test"]);
  const action = { tenant: "t", agent: "x", delegation: [], tool: "t:t", args_digest: "d" };
  for (const [principal, own] of [
    ["a@x.test", true],
    ["S-A", true],
    ["A", true],
    ["b@x.test", false],
    [null, false],
  ] as const)
    expect(found && isRequester({ ...action, principal }, found)).toBe(own);
});
