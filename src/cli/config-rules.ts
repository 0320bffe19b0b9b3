/** What a schema cannot say: choices between fields, and what makes a value usable. */
import { neverSentOn } from "../gateway/index.ts";
import type { Findings, Path } from "./config-source.ts";

type Members = Readonly<Record<string, unknown>>;

/** A valid value by the schema, before paths and secrets are resolved. */
export function checkRules(config: Members, findings: Findings): void {
  checkListen(config["listen"], ["listen"], findings);
  checkListen((config["control"] as Members)["listen"], ["control", "listen"], findings);
  if (config["public_url"] !== undefined) checkUrl(config["public_url"], ["public_url"], findings);
  for (const [name, upstream] of Object.entries(config["upstreams"] as Record<string, Members>)) {
    checkUpstream(upstream, ["upstreams", name], findings);
  }
  const { issuers } = config["identity"] as { issuers: readonly Members[] };
  for (const [at, issuer] of issuers.entries()) {
    exactlyOne(issuer, ["jwks_url", "jwks_file"], ["identity", "issuers", String(at)], findings);
  }
  checkRepeated(issuers, "issuer", ["identity", "issuers"], findings);
  const { enforcement_points: points } = config["authzen"] as { enforcement_points: Members[] };
  checkRepeated(points, "agent", ["authzen", "enforcement_points"], findings);
}

function checkListen(listen: unknown, path: Path, findings: Findings): void {
  const port = Number(String(listen).split(":").at(-1));
  if (port > 65_535) {
    findings.report(path, { code: "port", message: `port ${port} is over 65535` });
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
  keys: readonly [string, string],
  path: Path,
  findings: Findings,
): boolean {
  const given = keys.filter((key) => members[key] !== undefined);
  if (given.length === 1) return true;
  const message = `${path.join(".")}: give exactly one of ${keys.join(" and ")}`;
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

function checkRepeated(
  items: readonly Members[],
  key: string,
  path: Path,
  findings: Findings,
): void {
  const seen = new Set<unknown>();
  for (const [at, item] of items.entries()) {
    if (seen.has(item[key])) {
      findings.report([...path, String(at), key], {
        code: "repeated",
        message: `${key} ${JSON.stringify(item[key])} is listed twice`,
      });
    }
    seen.add(item[key]);
  }
}
