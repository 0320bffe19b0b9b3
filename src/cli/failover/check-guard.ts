/** Whether a guard that runs holds the manifest that was checked, with its gate in order. */
import { isJsonArray, isJsonObject, type JsonObject } from "../../kernel/index.ts";
import { type Diagnostic, diagnosticAt } from "../../policy/index.ts";
import { atStart, type KnownManifest } from "./check-manifests.ts";
import { askOnce } from "./guard-client.ts";

/** On the way to somewhere; a failover may be under way. */
const passing = ["fenced", "validating", "remediating", "degraded"];

/** What is wrong with the guard at `url`; a guard that does not answer is wrong. */
export async function checkGuard(
  url: string,
  known: KnownManifest | undefined,
): Promise<readonly Diagnostic[]> {
  const answer = await askOnce({ guard_url: url.replace(/\/+$/, "") }, "/status");
  if (!answer.ok) return [atStart(url, "guard-silent", answer.error)];
  const { status, body } = answer.value;
  if (status !== 200)
    return [atStart(url, "guard-silent", `the guard answers ${status} to /status`)];
  return [...identity(url, body, known), ...phaseOf(url, body)];
}

function identity(
  url: string,
  { deployment, site, manifest_digest: digest }: JsonObject,
  known: KnownManifest | undefined,
): readonly Diagnostic[] {
  if (known === undefined) return [];
  const about = `the guard of site ${String(site)}`;
  const found: Diagnostic[] = [];
  if (deployment !== known.deployment)
    found.push(
      atStart(
        url,
        "guard-foreign",
        `${about} guards ${String(deployment)}, not ${known.deployment}`,
      ),
    );
  if (!known.sites.includes(String(site)))
    found.push(atStart(url, "guard-foreign", `${about}: the manifest has no such site`));
  if (digest !== known.digest) {
    const message = `${about} runs manifest ${String(digest)}, not ${known.digest}`;
    found.push(atStart(url, "guard-drifted", message));
  }
  return found;
}

function phaseOf(url: string, { phase, site, failing }: JsonObject): readonly Diagnostic[] {
  const reasons = isJsonArray(failing)
    ? failing.filter(isJsonObject).map((each) => `${each["component"]}: ${each["because"]}`)
    : [];
  const why = reasons.length === 0 ? "" : ` (${reasons.join("; ")})`;
  const message = `the gate of site ${String(site)} is ${String(phase)}${why}`;
  if (phase === "ready" || (phase === "standby" && reasons.length === 0)) return [];
  if (!passing.includes(String(phase))) return [atStart(url, "gate-closed", message)];
  const place = { line: 1, column: 1 };
  return [diagnosticAt(url, place, { code: "gate-passing", message, severity: "warning" })];
}
