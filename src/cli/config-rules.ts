/** What a schema cannot say: choices between fields, and what makes a value usable. */
import { neverSentOn, subjectName } from "../gateway/index.ts";
import { checkApprovals } from "./config-approvals.ts";
import { checkNames, checkNotices } from "./config-notices.ts";
import { checkCare } from "./config-upstream-rules.ts";
import type { Findings, Path } from "./findings.ts";

type Members = Readonly<Record<string, unknown>>;

/** A valid value by the schema, before paths and secrets are resolved. */
export function checkRules(config: Members, findings: Findings): void {
  checkListen(config["listen"], ["listen"], findings);
  checkListen((config["control"] as Members)["listen"], ["control", "listen"], findings);
  if (config["public_url"] !== undefined) checkUrl(config["public_url"], ["public_url"], findings);
  checkBundle(config, findings);
  for (const [name, upstream] of Object.entries(config["upstreams"] as Record<string, Members>)) {
    checkUpstream(upstream, ["upstreams", name], findings);
    checkCare(upstream, ["upstreams", name], findings);
  }
  if (Object.hasOwn(config["upstreams"] as Members, "holdfast")) {
    const message =
      "holdfast is the gateway's own name, under which it serves its own tools; choose another";
    findings.report(["upstreams", "holdfast"], { code: "choice", message });
  }
  const store = config["store"] as Members;
  if (store["sqlite"] !== undefined) exactlyOne(store, ["sqlite", "postgres"], ["store"], findings);
  const { issuers } = config["identity"] as { issuers: readonly Members[] };
  const seen = new Set<string>();
  for (const [at, issuer] of issuers.entries()) {
    const path = ["identity", "issuers", String(at)];
    exactlyOne(issuer, ["jwks_url", "jwks_file"], path, findings);
    const what = `issuer ${JSON.stringify(issuer["issuer"])}`;
    checkTwice(seen, issuer["issuer"], what, [...path, "issuer"], findings);
  }
  checkFailover(config, findings);
  checkEnforcementPoints(config, findings);
  checkDirectory(config, findings);
  checkApprovals(config["approvals"] as Members, findings);
  checkNotices(config["approvals"] as Members, findings);
}

function checkFailover(config: Members, findings: Findings): void {
  const failover = config["failover"] as Members | undefined;
  if (failover === undefined) return;
  const { listen, dns, arbiter, guard_url: url, drills } = failover;
  checkListen(listen, ["failover", "listen"], findings);
  for (const name of ["agent_check", "grpc_health"])
    if (failover[name] !== undefined) checkListen(failover[name], ["failover", name], findings);
  if (dns !== undefined)
    checkListen((dns as Members)["server"], ["failover", "dns", "server"], findings);
  if (url !== undefined) checkUrl(url, ["failover", "guard_url"], findings);
  if (drills !== undefined)
    checkDrills(drills as Members, config["approvals"] as Members, findings);
  const kinds = ["postgres", "etcd", "sqlite"];
  if (arbiter !== undefined)
    exactlyOne(arbiter as Members, kinds, ["failover", "arbiter"], findings);
}

/** An alarm that goes nowhere is none. */
function checkDrills({ channels }: Members, approvals: Members, findings: Findings): void {
  const there = Object.keys(approvals["channels"] as Members);
  const at: Path = ["failover", "drills", "channels"];
  if (there.length === 0) {
    const message = "people are told of overdue drills by approvals.channels, and there is none";
    findings.report(["failover", "drills"], { code: "choice", message });
  } else checkNames((channels ?? []) as readonly string[], there, "channel", at, findings);
}

function checkEnforcementPoints({ authzen, tenant: home }: Members, findings: Findings): void {
  const { enforcement_points: points } = authzen as { enforcement_points: readonly Members[] };
  const seen = new Set<string>();
  for (const [at, { agent, tenant = home }] of points.entries()) {
    const path = ["authzen", "enforcement_points", String(at), "agent"];
    checkTwice(seen, [tenant, agent], `agent ${JSON.stringify(agent)}`, path, findings);
  }
}

/** What these three say of a subject is no property but part of who asks; here it would be dropped in silence. */
const toldByRequest = ["model", "principal", "delegation"];

function checkDirectory({ directory, tenant: home }: Members, findings: Findings): void {
  for (const kind of ["subjects", "resources"]) {
    const entities = (directory as Members)[kind] as readonly Members[];
    const seen = new Set<string>();
    for (const [at, entity] of entities.entries()) {
      const { type, id, tenant = home } = entity;
      const path = ["directory", kind, String(at)];
      const name = kind === "subjects" ? subjectName(String(type), String(id)) : [type, id];
      const what = `${String(type)} ${JSON.stringify(id)}`;
      checkTwice(seen, [tenant, name], what, [...path, "id"], findings);
      if (kind === "subjects") checkSubject(entity, path, findings);
    }
  }
}

function checkSubject(subject: Members, path: Path, findings: Findings): void {
  const properties = subject["properties"] as Members;
  for (const name of toldByRequest) {
    if (!Object.hasOwn(properties, name)) continue;
    const message = `${name} is no property of a subject: each request says it`;
    findings.report([...path, "properties"], { code: "choice", message }, name);
  }
}

function checkListen(listen: unknown, path: Path, findings: Findings): void {
  const port = Number(String(listen).split(":").at(-1));
  if (port > 65_535) {
    findings.report(path, { code: "port", message: `port ${port} is over 65535` });
  }
}

/** A data plane alone has no folder to publish, and its token leaves this machine only encrypted. */
function checkBundle(config: Members, findings: Findings): void {
  const bundle = config["bundle"] as Members | undefined;
  if (bundle === undefined) return;
  const at: Path = ["bundle"];
  if (config["policies"] !== undefined) {
    const message = "give policies or bundle, not both";
    findings.report([], { code: "choice", message }, "bundle");
  }
  checkUrl(bundle["url"], [...at, "url"], findings);
  if (Number(bundle["poll_seconds_min"]) > Number(bundle["poll_seconds_max"])) {
    const message = "poll_seconds_min is over poll_seconds_max";
    findings.report([...at, "poll_seconds_min"], { code: "range", message });
  }
  const plain = /^http:\/\/(?!localhost[:/]|127\.|\[::1\])/.test(String(bundle["url"]));
  if (plain && bundle["token"] !== undefined) {
    const message = "a token is sent over https only, or to this machine";
    findings.report([...at, "url"], { code: "url", message });
  }
}

function checkUpstream(upstream: Members, path: Path, findings: Findings): void {
  if (!exactlyOne(upstream, ["mcp", "http"], path, findings)) return;
  const mcp = upstream["mcp"] as Members | undefined;
  if (mcp !== undefined) {
    const at = [...path, "mcp"];
    exactlyOne(mcp, ["command", "url"], at, findings);
    if (mcp["url"] !== undefined) {
      onlyWith(mcp, ["cwd"], "command", at, findings);
      checkUrl(mcp["url"], [...at, "url"], findings);
    }
    if (mcp["command"] !== undefined) onlyWith(mcp, ["auth"], "url", at, findings);
    checkAuth(mcp["auth"] as Members | undefined, [...at, "auth"], findings);
    return;
  }
  checkHttp(upstream["http"] as Members, [...path, "http"], findings);
}

/** An agent that acts for itself proves itself by id and secret (RFC 6749 §4.4). */
function checkAuth(auth: Members | undefined, path: Path, findings: Findings): void {
  if (auth?.["flow"] !== "client_credentials") return;
  for (const name of ["client_id", "client_secret"]) {
    if (auth[name] !== undefined) continue;
    findings.report(path, { code: "choice", message: `client_credentials needs ${name}` });
  }
}

function checkHttp(http: Members, path: Path, findings: Findings): void {
  checkUrl(http["base_url"], [...path, "base_url"], findings);
  if (http["openapi"] !== undefined && http["routes"] !== undefined) {
    findings.report(
      path,
      { code: "choice", message: "give openapi or routes, not both" },
      "routes",
    );
  }
  for (const [at, name] of (http["forward_headers"] as readonly string[]).entries()) {
    if (!neverSentOn.test(name)) continue;
    findings.report([...path, "forward_headers", String(at)], {
      code: "header",
      message: `the header ${name} is never sent on`,
      hint: "credentials belong into headers; forwarding and method-override headers could change the judged action",
    });
  }
}

function checkUrl(url: unknown, path: Path, findings: Findings): void {
  if (!URL.canParse(String(url))) {
    findings.report(path, { code: "url", message: `${JSON.stringify(url)} is not an address` });
  }
}

function exactlyOne(
  members: Members,
  keys: readonly string[],
  path: Path,
  findings: Findings,
): boolean {
  const given = keys.filter((key) => members[key] !== undefined);
  if (given.length === 1) return true;
  const message = `${path.join(".")}: give exactly one of ${keys.join(keys.length > 2 ? ", " : " and ")}`;
  findings.report(path, { code: "choice", message }, given[1]);
  return false;
}

function onlyWith(
  members: Members,
  keys: readonly string[],
  partner: string,
  path: Path,
  findings: Findings,
): void {
  for (const key of keys.filter((one) => members[one] !== undefined)) {
    findings.report(path, { code: "choice", message: `${key} belongs to ${partner}` }, key);
  }
}

function checkTwice(
  seen: Set<string>,
  name: unknown,
  what: string,
  path: Path,
  findings: Findings,
): void {
  const key = JSON.stringify(name);
  if (seen.has(key)) {
    findings.report(path, { code: "repeated", message: `${what} is listed twice` });
  }
  seen.add(key);
}
