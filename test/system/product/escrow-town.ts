/** Three upstreams that can go down, in front of them the real gateway, and the command that people use. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { EscrowUpstream } from "../../fixtures/escrow-upstream.ts";
import { type Answer, root, type World, world } from "./harness.ts";

const policy = `
tools:
  "bank:POST /notes": { effect: write, risk: high }
  "bank:GET /notes": { effect: read, risk: low }
  "shop:POST /notes": { effect: write, risk: high }
  "shop:GET /notes": { effect: read, risk: low }
  "blog:post": { effect: write, risk: high }
policy: escrow
rules:
  - id: all
    match: { tools: ["bank:*", "shop:*", "blog:*"] }
    outcome: allow
  - id: no-secrets
    match: { tools: "bank:POST /notes" }
    when: args.body.note == "secret"
    outcome: deny
    reason: Nobody writes secrets
  - id: no-cards
    match: { tools: "bank:POST /notes" }
    when: has(args.body.card)
    outcome: sanitize
    obligations: [{ redact: args.body.card, with: digest }]
`;

/** A breaker that stays closed, whatever the tests do to its upstream. */
const never = "{ failures_in_row: 1000000, calls_min: 1000000 }";

/** Bank honours keys, shop does not; blog is an MCP server that does. */
export interface Upstreams {
  readonly bank: EscrowUpstream;
  readonly shop: EscrowUpstream;
  readonly blog: EscrowUpstream;
}

export interface Town extends Upstreams {
  readonly here: World;
}

/** Everything that is started goes onto `cleanups`, to be undone in the reverse order. */
export async function town(
  cleanups: (() => unknown)[],
  config = "",
  shopBreaker: string = never,
): Promise<Town> {
  const [bank, shop, blog] = [
    await EscrowUpstream.start(true),
    await EscrowUpstream.start(false),
    await EscrowUpstream.start(true),
  ];
  for (const each of [bank, shop, blog]) cleanups.push(() => each.down().catch(() => undefined));
  const upstreams = { bank, shop, blog };
  return { ...upstreams, here: await worldOf(cleanups, upstreams, config, shopBreaker) };
}

/** A gateway's world in front of upstreams that there are. */
export async function worldOf(
  cleanups: (() => unknown)[],
  { bank, shop, blog }: Upstreams,
  config: string,
  shopBreaker: string = never,
): Promise<World> {
  const routes = "[{ method: GET, path: /notes }, { method: POST, path: /notes }]";
  const here = await world({
    config,
    upstreams: `
  bank: { idempotency: honoured, breaker: ${never}, http: { base_url: "${bank.url}", routes: ${routes} } }
  shop: { breaker: ${shopBreaker}, http: { base_url: "${shop.url}", routes: ${routes} } }
  blog: { idempotency: honoured, breaker: ${never}, mcp: { url: "${blog.url}/mcp" } }
`,
  });
  cleanups.push(() => here.close());
  here.policy("escrow.yaml", policy);
  return here;
}

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Not synchronously: the upstreams live in this process. */
export function escrow(here: World, ...args: readonly string[]): Promise<Ran> {
  return holdfast(here, "escrow", ...args);
}

export function holdfast(here: World, ...args: readonly string[]): Promise<Ran> {
  const all = [join(root, "bin/holdfast.mjs"), ...args];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...all, "--config", here.path("holdfast.yaml")],
      { timeout: 60_000 },
      (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
    );
  });
}

export const write = (here: World, upstream: string, body: object): Promise<Answer> =>
  here.http("POST", `/http/${upstream}/notes`, body);

/** Open items, or with `--closed` those that are over. */
export async function items(
  here: World,
  ...more: readonly string[]
): Promise<Record<string, unknown>[]> {
  const listed = await escrow(here, "list", "--json", ...more);
  return JSON.parse(listed.out).items;
}
