/** Traps in an nginx configuration that asks the gate by `auth_request`. */
import type { Diagnostic } from "../../policy/index.ts";
import { type NginxDirective, readNginx } from "./nginx-blocks.ts";
import { found, type TrapName } from "./traps.ts";

const passing = /^(?:proxy|grpc|fastcgi|uwsgi|scgi)_pass$/;

/** What holds in a block: its own directives, then those of the blocks around it. */
type Scope = readonly (readonly NginxDirective[])[];

export function lintNginx(file: string, text: string): readonly Diagnostic[] {
  const tree = readNginx(text);
  const traps: Diagnostic[] = [];
  const report: Report = (line, name, about) =>
    traps.push(found(file, { line, column: 1 }, name, about));
  const locations = allOf(tree, "location");
  const asked = new Set(all(tree, "auth_request").map(({ words }) => words[0] ?? ""));
  const gates = locations.filter(({ words }) => asked.has(words.at(-1) ?? ""));
  for (const gate of gates) lintGate(gate, report);
  const walk = (directives: readonly NginxDirective[], scope: Scope): void => {
    const inner = [directives, ...scope];
    for (const each of directives) {
      if (each.block === undefined) continue;
      if (each.name === "location" && !gates.includes(each)) lintLocation(each, inner, report);
      if (each.name === "upstream") lintUpstream(each, report);
      walk(each.block, inner);
    }
  };
  walk(tree, []);
  lintEverywhere(tree, locations, report);
  return traps;
}

type Report = (line: number, name: TrapName, about: string) => void;

function lintLocation(location: NginxDirective, around: Scope, report: Report): void {
  const inside = location.block ?? [];
  const pass = inside.find(({ name }) => passing.test(name));
  // Nobody outside can ask for an internal location.
  if (pass === undefined || inside.some(({ name }) => name === "internal")) return;
  const about = `location ${location.words.join(" ")}`;
  const asks = nearest("auth_request", [inside, ...around]);
  if (asks === undefined || asks.words[0] === "off")
    report(pass.line, "nginx-no-auth-request", about);
  const satisfy = nearest("satisfy", [inside, ...around]);
  if (satisfy?.words[0] === "any") report(satisfy.line, "nginx-satisfy-any", about);
}

function lintGate(gate: NginxDirective, report: Report): void {
  const inside = gate.block ?? [];
  const about = `location ${gate.words.join(" ")}`;
  const pass = inside.find(({ name }) => passing.test(name));
  if (!/\/gate(?:\/|$|\?)/.test(pass?.words[0] ?? ""))
    report(pass?.line ?? gate.line, "nginx-gate-not-asked", about);
  const cache = inside.find(({ name }) => name === "proxy_cache");
  if (cache && cache.words[0] !== "off") report(cache.line, "nginx-verdict-cached", about);
}

function lintUpstream(upstream: NginxDirective, report: Report): void {
  for (const server of upstream.block ?? []) {
    if (server.name !== "server" || !server.words.includes("backup")) continue;
    report(server.line, "nginx-backup", `upstream ${upstream.words[0]}, server ${server.words[0]}`);
  }
}

function lintEverywhere(
  tree: readonly NginxDirective[],
  locations: readonly NginxDirective[],
  report: Report,
): void {
  for (const page of all(tree, "error_page")) {
    const target = page.words.at(-1) ?? "";
    const codes = page.words.filter((word) => /^(?:401|403|5\d\d)$/.test(word));
    const turns = page.words.some((word) => /^=(?:2\d\d)?$/.test(word));
    const to = locations.find(({ words }) => words.at(-1) === target);
    const passes = to?.block?.some(({ name }) => passing.test(name)) === true;
    if (codes.length > 0 && (turns || passes))
      report(page.line, "nginx-error-page", `error_page ${page.words.join(" ")}`);
  }
  const several = allOf(tree, "upstream").some(
    ({ block }) => (block ?? []).filter(({ name }) => name === "server").length > 1,
  );
  const rules = all(tree, "proxy_next_upstream");
  for (const { words, line } of rules) {
    const about = `proxy_next_upstream ${words.join(" ")}`;
    const repeats = words.some((word) => /^(?:non_idempotent|http_403|http_5\d\d)$/.test(word));
    if (repeats) report(line, "nginx-next-upstream-write", about);
    else if (several && words[0] !== "off") report(line, "nginx-next-upstream", about);
  }
  const [first] = allOf(tree, "upstream");
  if (several && rules.length === 0 && first)
    report(first.line, "nginx-next-upstream", "proxy_next_upstream is on by default");
}

function nearest(name: string, scope: Scope): NginxDirective | undefined {
  for (const directives of scope) {
    const own = directives.find((each) => each.name === name);
    if (own) return own;
  }
  return undefined;
}

/** Every directive of that name, at any depth. */
function all(tree: readonly NginxDirective[], name: string): readonly NginxDirective[] {
  return tree.flatMap((each) => [
    ...(each.name === name ? [each] : []),
    ...all(each.block ?? [], name),
  ]);
}

function allOf(tree: readonly NginxDirective[], name: string): readonly NginxDirective[] {
  return all(tree, name).filter(({ block }) => block !== undefined);
}
