/** `exec`: a program of the operator's own says so. */
import type { ExecVerification } from "../../failover/index.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";

/** What a script may rely on besides the two variables that bind it. */
const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export async function exec({
  commands,
  question,
  verification: { command, binding },
  signal,
  isTimeUp,
}: Asking<ExecVerification>): Promise<Found> {
  const { site, nonce, timeoutMs } = question;
  const env = { PATH: path, HOLDFAST_SITE: site, HOLDFAST_NONCE: nonce };
  const { exitCode, output, errors = "" } = await commands.run(command, env, timeoutMs, signal);
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const echo = binding === "echo" ? echoOf(lines.at(-1), question) : undefined;
  const said = (echo === undefined ? lines.at(-1) : lines.at(-2)) ?? lastLine(errors);
  const seen: Partial<Found> = {
    observed: { exit_code: exitCode, said, ...configDigestIn(lines) },
    ...(echo === undefined ? {} : { echo }),
  };
  const because = said === "" ? "" : `: ${said}`;
  if (exitCode === null) {
    const why = isTimeUp() ? `it did not end within ${timeoutMs} ms` : "it did not run to its end";
    return inconclusive(`${why}${because}`, seen);
  }
  if (exitCode === 1) return fail(`${command[0]} says no${because}`, seen);
  if (exitCode !== 0)
    return inconclusive(`${command[0]} ended with exit code ${exitCode}${because}`, seen);
  if (binding === "echo" && echo === undefined)
    return inconclusive("its last line is not `<site> <nonce>`", seen);
  return pass(`${command[0]} says yes${because}`, seen);
}

/** A line of two words of which one is ours: any other line is only something that was said. */
function echoOf(line: string | undefined, ours: Asking["question"]): Found["echo"] {
  const [, site, nonce] = /^(\S+) (\S+)\s*$/.exec(line ?? "") ?? [];
  if (site === undefined || nonce === undefined) return undefined;
  return site === ours.site || nonce === ours.nonce ? { site, nonce } : undefined;
}

const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1) ?? "";

/** A line `config_digest sha256:<hex>`. */
function configDigestIn(lines: readonly string[]): { readonly config_digest?: string } {
  const line = lines.findLast((each) => each.startsWith("config_digest "));
  return line === undefined ? {} : { config_digest: line.slice("config_digest ".length).trim() };
}
