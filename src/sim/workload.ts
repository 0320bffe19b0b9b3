/**
 * What the agents of a simulated world do, the policies they meet, and what each policy must answer, said a second
 * time in the plainest way: `expected` is the oracle the real engine is held against.
 */

import type { VerifiedBundle } from "../gateway/index.ts";
import {
  canonicalJson,
  err,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
  sha256Hex,
  type ToolId,
} from "../kernel/index.ts";
import type { Expr, Outcome, PolicySet, Rule } from "../policy/index.ts";
import type { Random } from "./random.ts";

export const upstreamOrigin = "http://upstream.sim";

export interface SimCall {
  readonly agent: string;
  readonly tool: ToolId;
  readonly args: JsonObject;
}

const tools: readonly ToolId[] = ["pay:send", "pay:list", "crm:note", "pay:wipe"];

export function randomCall(random: Random, agent: string): SimCall {
  const tool = tools[random.below(tools.length)] ?? "pay:list";
  const noise = "x".repeat(random.below(random.chance(0.02) ? 70_000 : 200));
  switch (tool) {
    case "pay:send":
      return {
        agent,
        tool,
        args: { amount: random.below(4_000), to: `acct-${random.below(9)}`, noise },
      };
    case "crm:note":
      return { agent, tool, args: { text: noise, card: `4111-${1000 + random.below(9_000)}` } };
    default:
      return { agent, tool, args: { page: random.below(10), noise } };
  }
}

/** Payments up to this amount pass under revision `n`; up to twice of it a person decides. */
function limitOf(revision: number): number {
  return 500 + ((revision * 700) % 2_100);
}

/** What revision `n` answers, without the engine. */
export function expected(revision: number, { tool, args }: Omit<SimCall, "agent">): Outcome {
  const amount = Number(args["amount"]);
  if (tool === "pay:list") return "allow";
  if (tool === "crm:note") return "sanitize";
  if (tool !== "pay:send" || amount > 2 * limitOf(revision)) return "deny";
  return amount > limitOf(revision) ? "approval_needed" : "allow";
}

export function revisionName(revision: number): string {
  return `rev-${revision}`;
}

export function revisionNumber(name: string): number {
  return Number(name.slice("rev-".length));
}

/** The stored form: a checksum stands for the signature, so that opening it needs no real time. */
export function simBundle(revision: number, damaged: boolean): Uint8Array {
  const set = policySet(revision) as unknown as JsonObject;
  const body = canonicalJson({ revision: revisionName(revision), set });
  const sum = sha256Hex(damaged ? `${body} ` : body);
  return Buffer.from(`${sum}\n${body}`);
}

export async function openSimBundle(archive: Uint8Array): Promise<Result<VerifiedBundle, string>> {
  const text = Buffer.from(archive).toString();
  const [sum, body = ""] = text.split("\n");
  if (sum !== sha256Hex(body)) return err("the bundle does not have its checksum");
  const value: JsonValue = JSON.parse(body);
  if (!isJsonObject(value) || typeof value["revision"] !== "string") return err("no bundle");
  const set = value["set"] as unknown as PolicySet;
  const serial = revisionNumber(value["revision"]);
  return ok({ revision: value["revision"], serial, set, digest: `sha256:${sha256Hex(archive)}` });
}

function policySet(revision: number): PolicySet {
  const limit = limitOf(revision);
  return {
    formatVersion: 3,
    rules: [
      rule("list", "pay:list", "allow"),
      rule("send", "pay:send", "allow", amountAtMost(2 * limit)),
      rule("ask", "pay:send", "approval_needed", { op: "not", of: amountAtMost(limit) }),
      rule("cap", "pay:send", "deny", { op: "not", of: amountAtMost(2 * limit) }),
      {
        ...rule("note", "crm:note", "sanitize"),
        obligations: [{ kind: "redact", path: ["card"], replacement: { with: "mask", keep: 4 } }],
      },
    ],
    tools: [
      { id: "pay:list", effect: "read", risk: "low", costMicroUsd: 10, openOnFailure: false },
      {
        id: "pay:send",
        effect: "write",
        risk: "critical",
        costMicroUsd: 900,
        openOnFailure: false,
      },
    ],
    limits: [],
  };
}

function amountAtMost(limit: number): Expr {
  const amount: Expr = { op: "field", of: { op: "root", name: "args" }, name: "amount" };
  return { op: "compare", how: "<=", left: amount, right: { op: "literal", value: limit } };
}

function rule(name: string, tool: ToolId, outcome: Outcome, when?: Expr): Rule {
  return {
    id: `sim/${name}`,
    match: { tools: [tool] },
    ...(when === undefined ? {} : { when }),
    outcome,
    obligations: [],
    onFailure: "deny",
    reason: `rule ${name} of the simulated policy`,
    source: "sim:1",
  };
}
