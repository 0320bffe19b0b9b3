/** Where and of what a figure is. */
import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, tmpdir, totalmem } from "node:os";

export function machineFacts(): Readonly<Record<string, string | number>> {
  const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();
  const changed = git("status", "--porcelain") === "" ? "" : ", with changes";
  return {
    commit: git("rev-parse", "--short=12", "HEAD") + changed,
    node: process.version,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    kernel: `${process.platform} ${release()}`,
    load_1_min: loadavg()[0]?.toFixed(2) ?? "",
    folder: tmpdir(),
    date: new Date().toISOString(),
  };
}

/** Ctrl-C ends what was started too: the fixtures do that when this process exits, which a signal alone does not make it do. */
export function endOnSignal(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => process.exit(130));
}

/** Three significant figures, no exponent. */
export function figure(value: number): string {
  return Math.abs(value) >= 1_000
    ? Math.round(value).toString()
    : String(Number(value.toPrecision(3)));
}
