/** The policy of `approved/every-form.yaml`, loaded with the schemas and the Rego it needs. */
import { readFileSync } from "node:fs";
import { type JsonObject, ok, type ToolId } from "../../../src/kernel/index.ts";
import {
  formatDiagnostic,
  loadPolicySet,
  type PolicySet,
  type RegoModules,
  regoDigest,
} from "../../../src/policy/index.ts";

const text = { type: "string" };
const payment: JsonObject = {
  type: "object",
  required: ["amount", "count", "currency", "items", "memo"],
  properties: {
    amount: { type: "number" },
    count: { type: "integer" },
    currency: text,
    memo: {},
    "first name": text,
    card: { type: "object", properties: { number: text }, required: ["number"] },
    items: {
      type: "array",
      items: {
        type: "object",
        properties: { price: { type: "number" }, name: text },
        required: ["price", "name"],
      },
    },
  },
};

const module = { wasm: Buffer.from("program"), data: Buffer.from("{}") };
const digest = regoDigest(module);

export function everyForm(): { readonly set: PolicySet; readonly modules: RegoModules } {
  const path = "every-form.yaml";
  const file = { path, text: readFileSync(new URL(`approved/${path}`, import.meta.url), "utf8") };
  const { set, modules, diagnostics } = loadPolicySet([file], {
    toolSchemas: new Map<ToolId, JsonObject>([["pay:create", payment]]),
    regoBundles: new Map([
      ["own.tar.gz", ok({ ...module, digest, entrypoints: ["own/bad", "own/good"] })],
    ]),
  });
  if (!set || diagnostics.length > 0) throw new Error(diagnostics.map(formatDiagnostic).join("\n"));
  return { set, modules };
}
