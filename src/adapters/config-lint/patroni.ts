/** Traps in Patroni's configuration: the file of a node, or the shared part as `patronictl show-config` prints it. */
import {
  type Diagnostic,
  type Position,
  parseForeignYaml,
  type SourceNode,
} from "../../policy/index.ts";
import { at, type Entry, entriesAt, entryOf, textAt } from "../source-tree/index.ts";
import { found, type TrapName } from "./traps.ts";

const start: Position = { line: 1, column: 1 };

export function lintPatroni(file: string, text: string): readonly Diagnostic[] {
  const { roots, diagnostics } = parseForeignYaml(file, text);
  const traps: Diagnostic[] = [];
  const report: Report = (place, name, about) => {
    traps.push(found(file, place ?? start, name, about));
  };
  for (const root of roots) lintDocument(root, report);
  return [...diagnostics, ...traps];
}

/** The file of a node, a part of one that holds its hooks, or the shared configuration. */
function lintDocument(root: SourceNode, report: Report): void {
  const isNode = entryOf(root, "name") !== undefined && entryOf(root, "postgresql") !== undefined;
  const gate = entryOf(at(root, "postgresql"), "pre_promote");
  const dcs = at(root, "bootstrap", "dcs");
  const shared = dcs ?? (isNode || gate !== undefined ? undefined : root);
  if (shared !== undefined) lintShared(shared, report);
  if (gate !== undefined) lintGate(gate, Number(textAt(dcs, "ttl") ?? 30), report);
  if (isNode) lintNode(root, gate, report);
}

type Report = (place: Position | undefined, name: TrapName, about: string) => void;

function lintShared(shared: SourceNode, report: Report): void {
  const slots = entriesAt(shared, "slots").filter(
    ({ value }) => textAt(value, "type") !== "physical",
  );
  if (slots.length === 0)
    report(entryOf(shared, "slots")?.keyAt ?? shared.at, "patroni-no-slot", "slots");
  for (const { key, keyAt, value } of slots) {
    if (textAt(value, "database") && textAt(value, "plugin")) continue;
    report(keyAt, "patroni-slot-incomplete", `slot ${key}`);
  }
  const mode = entryOf(shared, "synchronous_mode");
  const isSynchronous = ["true", "on", "quorum"].includes(textAt(mode?.value) ?? "");
  if (!isSynchronous) report(mode?.keyAt ?? shared.at, "patroni-asynchronous", "synchronous_mode");
  else if (textAt(shared, "synchronous_mode_strict") !== "true")
    report(mode?.keyAt, "patroni-not-strict", "synchronous_mode_strict");
  const failsafe = entryOf(shared, "failsafe_mode");
  if (textAt(failsafe?.value) === "true")
    report(failsafe?.keyAt, "patroni-failsafe", "failsafe_mode");
  const seconds = (key: string, usual: number): number => Number(textAt(shared, key) ?? usual);
  const [ttl, loop, retry] = [
    seconds("ttl", 30),
    seconds("loop_wait", 10),
    seconds("retry_timeout", 10),
  ];
  const place = entryOf(shared, "ttl")?.keyAt ?? shared.at;
  if (ttl < 20) report(place, "patroni-ttl-short", `ttl ${ttl}`);
  if (loop + 2 * retry > ttl)
    report(place, "patroni-timing", `ttl ${ttl}, loop_wait ${loop}, retry_timeout ${retry}`);
}

function lintGate({ keyAt, value }: Entry, ttl: number, report: Report): void {
  const command = textAt(value) ?? "";
  if (/\|\|\s*(?:true|:|exit 0)|;\s*(?:true|exit 0)|&\s*$/.test(command))
    report(keyAt, "patroni-pre-promote-ignored", "postgresql.pre_promote");
  const budget = Number(/--budget[= ](\d+)/.exec(command)?.[1] ?? 0);
  if (budget >= ttl) report(keyAt, "patroni-budget", `--budget ${budget}, ttl ${ttl}`);
}

function lintNode(root: SourceNode, gate: Entry | undefined, report: Report): void {
  const postgresql = entryOf(root, "postgresql");
  if (gate === undefined)
    report(postgresql?.keyAt, "patroni-no-pre-promote", "postgresql.pre_promote");
  const watchdog = entryOf(root, "watchdog");
  const mode = textAt(watchdog?.value, "mode") ?? "automatic";
  if (watchdog === undefined || mode === "off" || mode === "false")
    report(watchdog?.keyAt ?? root.at, "patroni-no-watchdog", "watchdog");
}
