/** Structured fields and a signed request of our own, in the formats of the public sets. */
import { agentKey, signedHeaders } from "../../fixtures/signed-request.ts";
import type { OwnVectors } from "./own-vectors.ts";

export const structuredFields: OwnVectors = {
  files: {
    "structured-fields/own.json": JSON.stringify([
      {
        name: "a dictionary",
        raw: ["a=(1 2);b", "c=:AQI=:"],
        header_type: "dictionary",
        expected: [
          [
            "a",
            [
              [
                [1, []],
                [2, []],
              ],
              [["b", true]],
            ],
          ],
          ["c", [{ __type: "binary", value: "AEBA====" }, []]],
        ],
      },
      { name: "no dictionary", raw: ["a=,"], header_type: "dictionary", must_fail: true },
      {
        name: "a list",
        raw: ["1, 2"],
        header_type: "list",
        expected: [
          [1, []],
          [2, []],
        ],
      },
    ]),
  },
  plant: { file: "structured-fields/own.json", from: "AEBA", to: "AEBB" },
  reviewed: [{ because: "list", cases: ["own 3"], count: 1, reason: "not read" }],
};

const key = agentKey();
const created = 1_800_000_000;
const signed = signedHeaders(key, {
  ...{ method: "GET", authority: "example.com", path: "/", created },
  components: ["@authority"],
});

export const webBotAuth: OwnVectors = {
  files: {
    "web-bot-auth/web_bot_auth_own.json": JSON.stringify([
      {
        key: key.jwk,
        target_url: "https://example.com/",
        created_ms: created * 1000,
        signature: signed["signature"],
        signature_input: signed["signature-input"],
      },
      { name: "a directory" },
    ]),
  },
  plant: { file: "web-bot-auth/web_bot_auth_own.json", from: "example.com", to: "example.net" },
  reviewed: [{ because: "directory", cases: ["own 2"], count: 1, reason: "not fetched" }],
};
