/** Traps in PowerDNS: LUA records of a zone (or of SQL and API dumps), and `pdns.conf`. */
import type { Diagnostic } from "../../policy/index.ts";
import { found, type TrapName } from "./traps.ts";

export function lintPowerdns(file: string, text: string): readonly Diagnostic[] {
  const sink = /holdfast\.dev\/sink\s*[:=]\s*([0-9a-fA-F.:]+)/.exec(text)?.[1];
  const traps: Diagnostic[] = [];
  for (const [at, line] of joined(text)) {
    const report = (column: number, name: TrapName, about: string): void => {
      traps.push(found(file, { line: at, column }, name, about));
    };
    if (/^\s*[;#]/.test(line)) continue;
    for (const call of line.matchAll(/\b(if(?:url|urlext|port)up)\s*\(/g))
      lintCall(call[1] ?? "", line.slice(call.index), sink, (name, about) =>
        report(call.index + 1, name, about),
      );
    for (const call of line.matchAll(
      /\b(pickrandom|pickwrandom|pickwhashed|pickclosest|pickchashed)\s*\(/g,
    ))
      report(call.index + 1, "powerdns-unchecked", call[1] ?? "");
    const open = /^\s*allow-dnsupdate-from\s*=.*?(0\.0\.0\.0\/0|::\/0)/.exec(line);
    if (open) report(1, "powerdns-update-open", `allow-dnsupdate-from ${open[1]}`);
  }
  return traps;
}

function lintCall(
  call: string,
  text: string,
  sink: string | undefined,
  report: (name: TrapName, about: string) => void,
): void {
  const selector = /backupSelector\s*=\s*\\?["']([a-z]+)/.exec(text)?.[1];
  const lastGroup = text.slice(text.lastIndexOf("{", text.lastIndexOf("}")));
  const endsInSink = sink !== undefined && (lastGroup.includes(sink) || text.includes(`${sink}'`));
  if (selector !== "empty" && !endsInSink) report("powerdns-no-sink", call);
  if (call === "ifportup" || !text.includes("/gate")) report("powerdns-gate-not-asked", call);
  report("powerdns-first-answer", call);
}

/** Lines with their numbers; a record in brackets or quotes over several lines is one. */
function joined(text: string): readonly (readonly [number, string])[] {
  const whole: [number, string][] = [];
  let open = false;
  for (const [at, line] of text.split("\n").entries()) {
    const last = whole.at(-1);
    if (open && last) last[1] += `\n${line}`;
    else whole.push([at + 1, line]);
    const record = whole.at(-1)?.[1] ?? "";
    const count = (pattern: RegExp): number => (record.match(pattern) ?? []).length;
    open = count(/(?<!\\)"/g) % 2 === 1 || count(/\(/g) > count(/\)/g);
  }
  return whole;
}
