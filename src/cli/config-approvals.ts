/** What must hold of `approvals:` beyond its schema: one outside identity is one approver, and sign-in crosses no network in clear. */
import type { Approver } from "../approvals/index.ts";
import type { ApprovalsConfig, ApproverConfig } from "./config-types.ts";
import type { Findings, Path } from "./findings.ts";

type Members = Readonly<Record<string, unknown>>;

/** Secrets shorter than this can be guessed (OWASP ASVS 2.9: 128 bits; 32 characters of hexadecimal). */
const tokenLengthMin = 32;

/** What people are known by; an agent has its own tokens and none of these. */
const ofPeople = ["oidc", "slack", "teams", "email", "cli_users", "principals"] as const;

/** A valid value by the schema, before secrets are read. */
export function checkApprovals(approvals: Members, findings: Findings): void {
  const at: Path = ["approvals"];
  const oidc = approvals["oidc"] as Members | undefined;
  checkEncrypted(approvals["url"], [...at, "url"], findings);
  if (oidc !== undefined) checkEncrypted(oidc["issuer"], [...at, "oidc", "issuer"], findings);
  const seen = new Map<string, string>();
  for (const [i, approver] of (approvals["approvers"] as readonly Members[]).entries()) {
    const path = [...at, "approvers", String(i)];
    for (const name of namesOf(approver)) {
      const found = alreadyOf(name, String(approver["id"]), seen);
      if (found === undefined) continue;
      findings.report([...path, ...name.step], { code: "repeated", message: found });
    }
    checkProofs(approver, oidc, path, findings);
  }
}

/** Whose this name is already, as a sentence. */
function alreadyOf(name: OutsideName, own: string, seen: Map<string, string>): string | undefined {
  const other = seen.get(name.key);
  if (other === undefined) seen.set(name.key, own);
  else if (name.step[0] === "id") return `${name.what} is listed twice`;
  return other === undefined || other === own ? undefined : `${name.what} is that of ${other}`;
}

interface OutsideName {
  readonly what: string;
  /** Equal for equal identities only. */
  readonly key: string;
  readonly step: Path;
}

function namesOf(approver: Members): readonly OutsideName[] {
  const names: OutsideName[] = [];
  const add = (kind: string, value: unknown, step: Path): void => {
    if (typeof value !== "string") return;
    const same = kind.includes("email") ? value.toLowerCase() : value;
    const key = JSON.stringify([kind, same]);
    names.push({ what: `${kind} ${JSON.stringify(value)}`, key, step });
  };
  add("approver", approver["id"], ["id"]);
  const oidc = approver["oidc"] as Members | undefined;
  add("subject", oidc?.["subject"], ["oidc", "subject"]);
  add("signed-in email", oidc?.["email"], ["oidc", "email"]);
  add("Slack member", approver["slack"], ["slack"]);
  add("Teams member", approver["teams"], ["teams"]);
  add("email", approver["email"], ["email"]);
  for (const [i, user] of (approver["cli_users"] as readonly unknown[]).entries())
    add("user", user, ["cli_users", String(i)]);
  for (const [i, name] of (approver["principals"] as readonly unknown[]).entries())
    add("principal", name, ["principals", String(i)]);
  add("agent", approver["agent"], ["agent"]);
  return names;
}

function checkProofs(
  approver: Members,
  oidc: Members | undefined,
  path: Path,
  findings: Findings,
): void {
  const own = approver["oidc"] as Members | undefined;
  if (own !== undefined) {
    const given = ["subject", "email"].filter((key) => own[key] !== undefined);
    if (given.length !== 1) {
      const message = "give exactly one of subject and email";
      findings.report([...path, "oidc"], { code: "choice", message }, given[1]);
    }
    if (oidc === undefined) {
      const message = "no provider: approvals.oidc is missing";
      findings.report([...path, "oidc"], { code: "choice", message });
    }
  }
  if (approver["agent"] === undefined) return;
  for (const key of ofPeople) {
    const value = approver[key];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    const message = `${key} belongs to a person, and this approver is an agent`;
    findings.report(path, { code: "choice", message }, key);
  }
}

function checkEncrypted(url: unknown, path: Path, findings: Findings): void {
  if (url === undefined) return;
  if (!URL.canParse(String(url))) {
    const message = `${JSON.stringify(url)} is not an address`;
    findings.report(path, { code: "url", message });
    return;
  }
  if (!/^http:\/\/(?!(?:localhost|127(?:\.\d+){3}|\[::1\])(?:[:/]|$))/.test(String(url))) return;
  const message = "people sign in over https only, or on this machine";
  findings.report(path, { code: "url", message });
}

/** With secrets read and defaults filled in. Tokens that are equal would make one person out of two. */
export function checkCompleteApprovals(
  { url, approvers, oidc }: ApprovalsConfig,
  audience: string,
  findings: Findings,
): void {
  const at: Path = ["approvals"];
  // The default is made of where control listens, and that may be every address.
  if (oidc !== undefined) checkEncrypted(url, [...at, "url"], findings);
  if (oidc !== undefined && url === audience) {
    const message = `approvals.url is identity.audience (${audience}) too: a token for the gateway would be one for approving`;
    findings.report(at, { code: "choice", message }, "url");
  }
  const tokens = new Map<string, string>();
  for (const [i, { id, token }] of approvers.entries())
    if (token !== undefined)
      checkToken(id, token.reveal(), [...at, "approvers", String(i), "token"], tokens, findings);
}

function checkToken(
  id: string,
  token: string,
  path: Path,
  seen: Map<string, string>,
  findings: Findings,
): void {
  // What could not be read is reported as such.
  if (token === "") return;
  if (!/^[\x21-\x7e]+$/.test(token) || token.length < tokenLengthMin) {
    const message = `a token of at least ${tokenLengthMin} printable characters without spaces is needed; openssl rand -hex 32 makes one`;
    findings.report(path, { code: "secret", message });
  }
  const other = seen.get(token);
  if (other === undefined) seen.set(token, id);
  else findings.report(path, { code: "repeated", message: `this token is that of ${other} too` });
}

/** How the room of approvals knows an approver: by everything that person or agent is called where calls are made. */
export function approverOf(config: ApproverConfig): Approver {
  const { id, groups, oidc, email, principals, agent } = config;
  const names = [oidc?.subject, oidc?.email, email, agent, ...principals];
  return { id, groups, alsoKnownAs: names.filter((name) => name !== undefined) };
}
