/** Signatures of Slack, with Slack's own verifier as a second judge. */
import { createHmac } from "node:crypto";
import { isValidSlackRequest } from "@slack/bolt";
import { expect, test } from "vitest";
import { signedAtMs } from "../../../../src/adapters/slack/signature.ts";

const secret = "8f742231b10e8888abcd99yyyzzz85a5";

test("the example of Slack's documentation holds", () => {
  // https://docs.slack.dev/authentication/verifying-requests-from-slack
  const body =
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
  const signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
  expect(signedAtMs(secret, "1531420618", signature, Buffer.from(body))).toBe(1_531_420_618_000);
});

test("what Slack's verifier refuses is refused here, whatever was changed", () => {
  const nowSeconds = 1_800_000_000;
  const body = "payload=%7B%22type%22%3A%22block_actions%22%2C%22x%22%3A%22%C3%A4%22%7D";
  const sign = (timestamp: string, text: string, key = secret): string =>
    `v0=${createHmac("sha256", key).update(`v0:${timestamp}:${text}`).digest("hex")}`;
  const good = sign(String(nowSeconds), body);
  const cases: readonly (readonly [string, string, string])[] = [
    [String(nowSeconds), good, body],
    [String(nowSeconds), good, `${body}&`],
    [String(nowSeconds + 1), good, body],
    [String(nowSeconds), sign(String(nowSeconds), body, "other"), body],
    [String(nowSeconds), good.toUpperCase(), body],
    [String(nowSeconds), good.slice(0, -1), body],
    [String(nowSeconds), good.replace("v0=", "v1="), body],
    [String(nowSeconds), "", body],
    ["", sign("", body), body],
    [`${nowSeconds}.5`, sign(`${nowSeconds}.5`, body), body],
    [` ${nowSeconds}`, sign(` ${nowSeconds}`, body), body],
  ];
  const verdicts = cases.map(([timestamp, signature, text]) => {
    const ours = signedAtMs(secret, timestamp, signature, Buffer.from(text)) !== undefined;
    const theirs = isValidSlackRequest({
      ...{ signingSecret: secret, body: text, nowMilliseconds: nowSeconds * 1_000 },
      headers: {
        "x-slack-signature": signature,
        "x-slack-request-timestamp": Number(timestamp),
      },
    });
    return [ours, theirs];
  });
  expect(verdicts[0]).toEqual([true, true]);
  for (const [ours, theirs] of verdicts.slice(1)) if (!theirs) expect(ours).toBe(false);
  expect(verdicts.slice(1).filter(([ours]) => ours)).toEqual([]);
});
