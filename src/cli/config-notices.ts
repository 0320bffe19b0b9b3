/** What must hold of the channels, routes and turns of `approvals:` beyond the schema: every name leads somewhere. */
import { isTimeZone } from "../control/index.ts";
import { nearestWord } from "../policy/index.ts";
import type { Findings, Path } from "./findings.ts";
import type { ChannelConfig, NoticesConfig } from "./notice-types.ts";
import type { Secret } from "./secret.ts";

type Members = Readonly<Record<string, unknown>>;

const kinds = ["slack", "teams", "webhook", "email"] as const;

/** A valid value by the schema, before secrets are read. */
export function checkNotices(approvals: Members, findings: Findings): void {
  const at: Path = ["approvals"];
  const channels = approvals["channels"] as Record<string, Members>;
  const approvers = (approvals["approvers"] as readonly Members[]).map(({ id }) => String(id));
  const slack = approvals["slack"] as Members | undefined;
  if (slack !== undefined && !("signing_secret" in slack) && !("app_token" in slack)) {
    const message = "give signing_secret (clicks come by HTTP) or app_token (by Socket Mode)";
    findings.report([...at, "slack"], { code: "choice", message });
  }
  for (const [name, channel] of Object.entries(channels))
    checkChannel(channel, approvals, approvers, [...at, "channels", name], findings);
  const rotations = approvals["on_call"] as Record<string, Members>;
  for (const [name, rotation] of Object.entries(rotations))
    checkRotation(rotation, approvers, [...at, "on_call", name], findings);
  const known = { channels: Object.keys(channels), rotations: Object.keys(rotations) };
  const routes = (approvals["routes"] ?? []) as readonly Members[];
  for (const [i, route] of routes.entries())
    checkRoute(route, known, [...at, "routes", String(i)], findings);
}

function checkChannel(
  channel: Members,
  approvals: Members,
  approvers: readonly string[],
  at: Path,
  findings: Findings,
): void {
  const given = kinds.filter((kind) => channel[kind] !== undefined);
  if (given.length !== 1) {
    const message = `${at.join(".")}: give exactly one of ${kinds.join(", ")}`;
    findings.report(at, { code: "choice", message }, given[1]);
  }
  for (const kind of ["slack", "email"] as const) {
    if (channel[kind] === undefined || approvals[kind] !== undefined) continue;
    findings.report(at, { code: "choice", message: `${kind} needs approvals.${kind}` }, kind);
  }
  const webhook = channel["webhook"] as Members | undefined;
  if (webhook !== undefined) checkWebhook(webhook, approvers, [...at, "webhook"], findings);
  const zone = (channel["quiet_hours"] as Members | undefined)?.["time_zone"];
  if (zone !== undefined && !isTimeZone(String(zone))) {
    const message = `${JSON.stringify(zone)} is no time zone of this machine's database`;
    findings.report([...at, "quiet_hours", "time_zone"], { code: "time_zone", message });
  }
}

/** A secret that decides needs somebody to decide for; otherwise it could name anybody. */
function checkWebhook(
  webhook: Members,
  approvers: readonly string[],
  at: Path,
  findings: Findings,
): void {
  const url = String(webhook["url"]);
  if (/^http:\/\/(?!(?:localhost|127(?:\.\d+){3}|\[::1\])(?:[:/]|$))/.test(url)) {
    const message = "what is asked leaves this machine over https only";
    findings.report([...at, "url"], { code: "url", message });
  }
  const names = webhook["decides_for"] as readonly string[] | undefined;
  if ((names === undefined) !== (webhook["decision_secret"] === undefined)) {
    const message = "decision_secret and decides_for belong together";
    findings.report(at, { code: "choice", message });
  }
  checkNames(names ?? [], approvers, "approver", [...at, "decides_for"], findings);
}

function checkRotation(
  rotation: Members,
  approvers: readonly string[],
  at: Path,
  findings: Findings,
): void {
  const names = rotation["approvers"] as readonly string[];
  checkNames(names, approvers, "approver", [...at, "approvers"], findings);
  checkTime(rotation["starts"], [...at, "starts"], findings);
  const stands = rotation["overrides"] as readonly { from: string; to: string; approver: string }[];
  for (const [i, { from: begin, to: end, approver }] of stands.entries()) {
    const path = [...at, "overrides", String(i)];
    checkNames([approver], approvers, "approver", path, findings);
    const times = [checkTime(begin, path, findings), checkTime(end, path, findings)];
    if (times.includes(false) || Date.parse(begin) < Date.parse(end)) continue;
    findings.report(path, { code: "range", message: "it ends before it begins" });
  }
}

function checkTime(text: unknown, at: Path, findings: Findings): boolean {
  if (!Number.isNaN(Date.parse(String(text)))) return true;
  const message = `${JSON.stringify(text)} is no date and time`;
  findings.report(at, { code: "time", message });
  return false;
}

function checkRoute(
  route: Members,
  there: { readonly channels: readonly string[]; readonly rotations: readonly string[] },
  at: Path,
  findings: Findings,
): void {
  for (const key of ["channels", "escalate_to"]) {
    const names = (route[key] ?? []) as readonly string[];
    checkNames(names, there.channels, "channel", [...at, key], findings);
  }
  const { on_call: turn } = route;
  if (turn !== undefined)
    checkNames(
      [String(turn)],
      there.rotations,
      "rotation in approvals.on_call",
      [...at, "on_call"],
      findings,
    );
  if ((route["escalate_to"] === undefined) !== (route["escalate_after_seconds"] === undefined)) {
    const message = "escalate_to and escalate_after_seconds belong together";
    findings.report(at, { code: "choice", message });
  }
}

export function checkNames(
  names: readonly string[],
  there: readonly string[],
  what: string,
  at: Path,
  findings: Findings,
): void {
  for (const [i, name] of names.entries()) {
    if (there.includes(name)) continue;
    const message = `there is no ${what} ${JSON.stringify(name)}`;
    const nearest = nearestWord(name, there);
    findings.report([...at, String(i)], { code: "unknown", message, nearest });
  }
}

type MutableMembers = Record<string, unknown>;
export type ReadSecret = (members: MutableMembers, key: string, path: Path) => Promise<void>;

/** Reads secrets and fills in defaults. */
export async function completeNotices(
  approvals: MutableMembers,
  readSecret: ReadSecret,
  findings: Findings,
): Promise<void> {
  const at: Path = ["approvals"];
  const read = async (members: unknown, keys: readonly string[], path: Path): Promise<void> => {
    for (const key of keys)
      if ((members as MutableMembers | undefined)?.[key] !== undefined)
        await readSecret(members as MutableMembers, key, path);
  };
  await read(approvals["slack"], ["bot_token", "signing_secret", "app_token"], [...at, "slack"]);
  await read(approvals["email"], ["smtp"], [...at, "email"]);
  const channels = approvals["channels"] as Record<string, MutableMembers>;
  for (const [name, channel] of Object.entries(channels)) {
    const path = [...at, "channels", name];
    await read(channel["teams"], ["url", "outgoing_webhook_token"], [...path, "teams"]);
    await read(channel["webhook"], ["secret", "decision_secret"], [...path, "webhook"]);
    checkSecretForms(channel as ChannelConfig, path, findings);
  }
  const names = Object.keys(channels);
  approvals["routes"] ??= names.length === 0 ? [] : [{ channels: names, reminders_max: 3 }];
  checkSmtp(approvals as unknown as NoticesConfig, at, findings);
}

/** What could not be read is reported as such, and is empty. */
function checkSecretForms({ webhook, teams }: ChannelConfig, at: Path, findings: Findings): void {
  const wrong = (secret: Secret | undefined, fits: (text: string) => boolean): boolean =>
    secret !== undefined && secret.reveal() !== "" && !fits(secret.reveal());
  for (const key of ["secret", "decision_secret"] as const) {
    if (!wrong(webhook?.[key], isWebhookSecret)) continue;
    const message = `whsec_ and base64 of 24 to 64 bytes is needed; echo "whsec_$(openssl rand -base64 32)" makes one`;
    findings.report([...at, "webhook", key], { code: "secret", message });
  }
  if (wrong(teams?.url, isSafeUrl))
    findings.report([...at, "teams", "url"], {
      code: "secret",
      message: "an https:// address is needed",
    });
  if (wrong(teams?.outgoing_webhook_token, (text) => Buffer.from(text, "base64").length >= 24)) {
    const message = "the security token that Teams showed is needed: base64 of 32 bytes";
    findings.report([...at, "teams", "outgoing_webhook_token"], { code: "secret", message });
  }
}

function isWebhookSecret(text: string): boolean {
  const [, base64 = ""] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  const { length } = Buffer.from(base64, "base64");
  return length >= 24 && length <= 64;
}

function isSafeUrl(text: string): boolean {
  return (
    URL.canParse(text) && /^(?:https:|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])[:/])/.test(text)
  );
}

function checkSmtp({ email }: NoticesConfig, at: Path, findings: Findings): void {
  const text = email?.smtp.reveal() ?? "";
  if (text === "" || (URL.canParse(text) && /^smtps?:$/.test(new URL(text).protocol))) return;
  const message = "an smtp:// or smtps:// address is needed";
  findings.report([...at, "email", "smtp"], { code: "secret", message });
}
