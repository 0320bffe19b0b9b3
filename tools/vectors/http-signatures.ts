/** Requests that agents sign: structured fields (RFC 9651), and signatures of Web Bot Auth (RFC 9421). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  keySetOf,
  type SignedMessage,
  signedAgents,
  verifyHttpSignature,
} from "../../src/identity/index.ts";
import {
  type BareItem,
  isInnerList,
  readDictionary,
  readItem,
} from "../../src/identity/structured-fields.ts";
import type { JsonObject } from "../../src/kernel/index.ts";
import { type Case, declined, failed, judged, passed, refused, type VectorSet } from "./case.ts";

interface FieldCase {
  readonly name: string;
  readonly raw: readonly string[];
  readonly header_type: "item" | "list" | "dictionary";
  readonly must_fail?: boolean;
  readonly can_fail?: boolean;
  readonly expected?: unknown;
}

/** Names of cases repeat, so each has its number in its file. */
export const structuredFields: VectorSet = {
  name: "structured-fields",
  path: "structured-fields",
  source: "github.com/httpwg/structured-field-tests",
  run: (path) =>
    readdirSync(path)
      .filter((file) => file.endsWith(".json"))
      .sort()
      .flatMap((file) => {
        const cases = JSON.parse(readFileSync(join(path, file), "utf8")) as FieldCase[];
        return cases.map((each, i) => fieldCase(`${file.replace(".json", "")} ${i + 1}`, each));
      }),
};

function fieldCase(id: string, { raw, header_type: type, ...about }: FieldCase): Case {
  if (type === "list") return declined(id, "list");
  const text = raw.join(", ");
  const value = type === "item" ? itemValue(text) : dictionaryValue(text);
  if (about.can_fail && value === undefined) return refused(id);
  if (about.must_fail || value === undefined)
    return judged(id, !about.must_fail, value === undefined ? "no_parse" : undefined);
  const [ours, theirs] = [value, about.expected].map((each) => JSON.stringify(plain(each)));
  // Dates beyond what ECMAScript can hold. No field that is read here has one.
  if (ours?.includes('"value":null')) return declined(id, "date_range");
  return ours === theirs ? passed(id) : failed(id, `reads as ${ours}, expected ${theirs}`);
}

type Parsed = readonly unknown[];

function itemValue(text: string): Parsed | undefined {
  const item = readItem(text);
  return item && [bare(item[0]), parameters(item[1])];
}

function dictionaryValue(text: string): Parsed | undefined {
  const members = readDictionary(text);
  return (
    members &&
    [...members].map(([name, member]) => [
      name,
      isInnerList(member)
        ? [member[0].map(([each, given]) => [bare(each), parameters(given)]), parameters(member[1])]
        : [bare(member[0]), parameters(member[1])],
    ])
  );
}

function parameters(given: ReadonlyMap<string, BareItem>): Parsed {
  return [...given].map(([name, value]) => [name, bare(value)]);
}

/** As the suite writes it. */
function bare(value: BareItem): unknown {
  if (typeof value !== "object") return value;
  if (value instanceof ArrayBuffer) return { __type: "binary", value: base32(Buffer.from(value)) };
  if (value instanceof Date) return { __type: "date", value: value.getTime() / 1000 };
  const type = value.constructor.name === "Token" ? "token" : "displaystring";
  return { __type: type, value: String(value) };
}

/** Numbers may be written `1.0` where they read as 1. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const letters = (bits.match(/.{1,5}/g) ?? []).map(
    (five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(five.padEnd(5, "0"), 2)],
  );
  return letters.join("").padEnd(Math.ceil(letters.length / 8) * 8, "=");
}

interface BotCase {
  readonly key: JsonObject;
  readonly target_url: string;
  readonly created_ms: number;
  readonly label: string;
  readonly signature: string;
  readonly signature_input: string;
  readonly signature_agent?: string;
}

export const webBotAuth: VectorSet = {
  name: "web-bot-auth",
  path: "web-bot-auth",
  source: "the test vectors of github.com/cloudflare/web-bot-auth",
  run: (path) =>
    readdirSync(path)
      .filter((file) => file.endsWith(".json"))
      .sort()
      .flatMap((file) => {
        const cases = JSON.parse(readFileSync(join(path, file), "utf8")) as BotCase[];
        const name = file.replace(/^web_bot_auth_|\.json$/g, "");
        return cases.flatMap((each, i) => botCases(`${name} ${i + 1}`, each));
      }),
};

/** The signature holds at its time, and for no other host, nonce or agent. */
function botCases(id: string, vector: BotCase): Case[] {
  if (vector.signature_input === undefined) return [declined(id, "directory")];
  const refusal = refusalOf(vector);
  if (refusal !== undefined) return [declined(id, refusal)];
  const changes: readonly BotCase[] = [
    { ...vector, target_url: vector.target_url.replace("example.com", "example.org") },
    { ...vector, signature_input: vector.signature_input.replace('nonce="', 'nonce="A') },
    { ...vector, signature_agent: '"https://other.example"' },
    { ...vector, created_ms: vector.created_ms - 60_000 },
  ];
  const held = changes.findIndex((each) => refusalOf(each) === undefined);
  return [
    passed(id),
    held < 0 ? refused(`${id} changed`) : failed(`${id} changed`, `change ${held + 1} is taken`),
  ];
}

function refusalOf(vector: BotCase): string | undefined {
  const keys = keySetOf({ keys: [vector.key] });
  const named = { agent: "bot", tenant: "t", covers: "authority" as const };
  const agents = keys.ok ? signedAgents(keys.value, named) : [];
  if (agents.length === 0) return "no_ed25519";
  const { host, pathname, search } = new URL(vector.target_url);
  const message: SignedMessage = {
    ...{ method: "GET", path: pathname, query: search.slice(1), body: new Uint8Array() },
    headers: {
      host,
      signature: vector.signature,
      "signature-input": vector.signature_input,
      "signature-agent": vector.signature_agent,
    },
  };
  const rules = { authority: host, lifetimeSMax: 1e12, clockSkewS: 5 };
  const answer = verifyHttpSignature(message, agents, rules, vector.created_ms + 1_000);
  return answer.ok ? undefined : answer.error.code;
}
