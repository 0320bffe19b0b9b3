/** Traps in a HAProxy configuration. Backends marked `# holdfast.dev/class: none` are set aside. */
import type { Diagnostic } from "../../policy/index.ts";
import { type HaproxyLine, type HaproxySection, readHaproxySections } from "./haproxy-sections.ts";
import { found, type TrapName } from "./traps.ts";

export function lintHaproxy(file: string, text: string): readonly Diagnostic[] {
  const sections = readHaproxySections(text);
  const found: Diagnostic[] = [];
  let defaults: readonly HaproxyLine[] = [];
  for (const section of sections) {
    if (section.kind === "defaults") defaults = section.lines;
    const isBackend = section.kind === "backend" || section.kind === "listen";
    const isSetAside = section.comments.some(({ text: comment }) =>
      /holdfast\.dev\/class\s*[:=]\s*none/.test(comment),
    );
    if (isBackend && !isSetAside) found.push(...new Backend(file, section, defaults).traps());
  }
  return found;
}

class Backend {
  readonly #file: string;
  readonly #section: HaproxySection;
  readonly #lines: readonly HaproxyLine[];
  readonly #found: Diagnostic[] = [];

  constructor(file: string, section: HaproxySection, defaults: readonly HaproxyLine[]) {
    this.#file = file;
    this.#section = section;
    this.#lines = [...defaults, ...section.lines];
  }

  traps(): readonly Diagnostic[] {
    const servers = this.#section.lines.filter(({ words }) => words[0] === "server");
    if (servers.length === 0) return [];
    for (const server of servers) this.#server(server);
    if (servers.some((server) => this.#settings(server).has("check"))) this.#sequence();
    this.#options();
    return this.#found;
  }

  #report(line: number, name: TrapName, about: string): void {
    this.#found.push(found(this.#file, { line, column: 1 }, name, about));
  }

  #server(server: HaproxyLine): void {
    const about = `${this.#section.kind} ${this.#section.name}, server ${server.words[1] ?? ""}`;
    const settings = this.#settings(server);
    const isChecked = settings.has("check") || settings.has("track");
    const report = (name: TrapName): void => this.#report(server.line, name, about);
    if (!isChecked) report(uncheckedTrap(settings));
    else {
      if (settings.has("backup")) report("haproxy-backup");
      if (!startsDown(settings)) report("haproxy-starts-up");
      if (settings.get("on-marked-down") !== "shutdown-sessions") report("haproxy-sessions-stay");
    }
  }

  /** What holds for a server: its own words over those of default-server, over those of defaults. */
  #settings(server: HaproxyLine): ReadonlyMap<string, string> {
    const settings = new Map<string, string>();
    const lines = this.#lines.filter(
      ({ words, line }) => words[0] === "default-server" && line < server.line,
    );
    for (const words of [...lines.map(({ words }) => words.slice(1)), server.words.slice(3)])
      for (const [at, word] of words.entries()) {
        if (word.startsWith("no-")) settings.delete(word.slice(3));
        if (word === "enabled") settings.delete("disabled");
        settings.set(word, words[at + 1] ?? "");
      }
    return settings;
  }

  /** The gate stands in the sequence of checks, and its answer is judged. */
  #sequence(): void {
    const about = `${this.#section.kind} ${this.#section.name}`;
    const steps = this.#lines.filter(
      ({ words }) => words[0] === "http-check" || (words[0] === "option" && words[1] === "httpchk"),
    );
    const asks = ({ words }: HaproxyLine, path: RegExp): boolean =>
      words.some((word) => path.test(word));
    const gate = steps.findIndex((step) => asks(step, /^\/gate(?:\/|$|\?)/));
    const patroni = steps.find((step) => asks(step, /^\/(?:primary|master|leader|read-write)$/));
    if (gate < 0) {
      this.#report(this.#section.line, "haproxy-gate-not-asked", about);
      if (patroni) this.#report(patroni.line, "haproxy-patroni-primary", about);
      return;
    }
    const after = steps.slice(gate + 1);
    const next = after.findIndex(({ words }) => words[1] === "send" || words[1] === "connect");
    const own = next < 0 ? after : after.slice(0, next);
    const judged = own.some(({ words }) => words[1] === "expect" && words.includes("200"));
    const line = steps[gate]?.line ?? this.#section.line;
    if (!judged) this.#report(line, "haproxy-gate-any-answer", about);
  }

  #options(): void {
    const about = `${this.#section.kind} ${this.#section.name}`;
    const rules: readonly (readonly [RegExp, TrapName])[] = [
      [/^option allbackups/, "haproxy-allbackups"],
      [/^option persist|^force-persist/, "haproxy-persist"],
      [/^load-server-state-from-file (?!none)/, "haproxy-state-file"],
      [/^http-check disable-on-404/, "haproxy-disable-on-404"],
    ];
    for (const { words, line } of this.#lines)
      for (const [pattern, name] of rules)
        if (pattern.test(words.join(" "))) this.#report(line, name, about);
  }
}

function uncheckedTrap(settings: ReadonlyMap<string, string>): TrapName {
  if (settings.has("backup")) return "haproxy-backup-unchecked";
  return settings.has("agent-check") ? "haproxy-agent-alone" : "haproxy-no-check";
}

/** Closed until an affirmative answer: `disabled` is lifted by an agent only. */
function startsDown(settings: ReadonlyMap<string, string>): boolean {
  if (settings.has("disabled") && settings.has("agent-check")) return true;
  return /^(?:fully-)?down$/.test(settings.get("init-state") ?? "");
}
