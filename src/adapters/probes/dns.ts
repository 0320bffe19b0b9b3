/** `dns`: what the world resolves is one of the addresses that are allowed, at each of the servers. */
import { promises } from "node:dns";
import { isIP } from "node:net";
import type { DnsVerification } from "../../failover/index.ts";
import type { JsonObject } from "../../kernel/index.ts";
import { addressIn } from "./addresses.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";

const port = 53;
/** The name is there without such a record, or is not there: the world is told nothing, and that clearly. */
const nothingThere: ReadonlySet<unknown> = new Set(["ENODATA", "ENOTFOUND"]);

export async function dns(asking: Asking<DnsVerification>): Promise<Found> {
  const { servers, name, type, allowed } = asking.verification;
  if (servers.length === 0) return inconclusive("no server is named that could be asked");
  const answers = await Promise.all(servers.map((server) => resolved(asking, server)));
  const seen: JsonObject = Object.fromEntries(
    answers.map((answer, i) => [servers[i] ?? "", "values" in answer ? answer.values : answer.why]),
  );
  const told: Partial<Found> = { observed: { name, type, answers: seen } };
  const clear = allowed.map((value) => canonical(type, value));
  for (const [i, answer] of answers.entries()) {
    if (!("values" in answer)) continue;
    if (answer.values.length === 0)
      return fail(`${servers[i]} says that ${name} has no ${type} record`, told);
    const strange = answer.values.find((value) => !clear.includes(canonical(type, value)));
    if (strange !== undefined)
      return fail(`${servers[i]} resolves ${name} to ${strange}, which is not allowed`, told);
  }
  const silent = answers.findIndex((answer) => "why" in answer);
  const why = answers[silent];
  if (why !== undefined && "why" in why)
    return inconclusive(`${servers[silent]}: ${why.why}`, told);
  return pass(`every answer for ${name} is one that is allowed`, told);
}

type Answer = { readonly values: readonly string[] } | { readonly why: string };

async function resolved(asking: Asking<DnsVerification>, server: string): Promise<Answer> {
  const { verification, question, signal } = asking;
  const { name, type } = verification;
  const at = addressIn(server, port);
  if (isIP(at.host) === 0) return { why: "a server is named by its address, not by a name" };
  if (signal.aborted) return { why: "it was told to stop" };
  const resolver = new promises.Resolver({ timeout: question.timeoutMs, tries: 1 });
  resolver.setServers([isIP(at.host) === 6 ? `[${at.host}]:${at.port}` : `${at.host}:${at.port}`]);
  const cancel = (): void => resolver.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return { values: await asked(resolver, type, name) };
  } catch (thrown) {
    return unanswered(asking, thrown);
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

function unanswered(
  { question, signal, isTimeUp }: Asking<DnsVerification>,
  thrown: unknown,
): Answer {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  if (nothingThere.has(code)) return { values: [] };
  if (isTimeUp() || code === "ETIMEOUT")
    return { why: `no answer within ${question.timeoutMs} ms` };
  return { why: signal.aborted ? "it was told to stop" : String(code ?? thrown) };
}

async function asked(
  resolver: promises.Resolver,
  type: DnsVerification["type"],
  name: string,
): Promise<readonly string[]> {
  if (type === "A") return resolver.resolve4(name);
  if (type === "AAAA") return resolver.resolve6(name);
  if (type === "CNAME") return resolver.resolveCname(name);
  return (await resolver.resolveTxt(name)).map((parts) => parts.join(""));
}

/** Two spellings of one address or name are the same; a text is only itself. */
function canonical(type: DnsVerification["type"], value: string): string {
  if (type === "TXT") return value;
  if (type === "AAAA" && isIP(value) === 6) return new URL(`http://[${value}]`).hostname;
  return value.toLowerCase().replace(/\.$/, "");
}
