/** The command that asks about sets of incidents, on a set of two services that this test writes. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "holdfast-rca-"));
const steps = (from: number, n: number) => Array.from({ length: n }, (_, at) => from + 300 * at);
const measured = (latency: readonly number[]) => ({
  latency: { Average: latency },
  requests: { Sum: latency.map(() => 300) },
});
/** A hundred steps that vary by a hundredth. */
const calm = (level: number) =>
  Array.from({ length: 100 }, (_, at) => level * (1 + ([0, 0.01, -0.01, 0.005][at % 4] ?? 0)));

beforeAll(() => {
  const write = (name: string, value: unknown) =>
    writeFileSync(join(folder, name), gzipSync(JSON.stringify(value)));
  mkdirSync(join(folder, "cases"));
  write("graph.json.gz", { nodes: ["front", "store"], edges: [["front", "store"]] });
  write("normal.json.gz", {
    t: steps(0, 100),
    series: { front: measured(calm(0.1)), store: measured(calm(0.02)) },
  });
  write("cases/one.json.gz", {
    id: "one",
    target: { node: "front", metric: "latency", agg: "Average" },
    alert_time: 100_700,
    incident: {
      t: steps(100_000, 5),
      series: {
        front: measured([0.1, 0.1, 0.6, 0.6, 0.6]),
        store: measured([0.02, 0.02, 0.52, 0.52, 0.52]),
      },
    },
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(...args: string[]): { out: string; err: string; code: number | null } {
  const command = ["bench/rca/run.ts", "--set", "petshop", "--dir", folder, ...args];
  const { stdout, stderr, status } = spawnSync(process.execPath, command, { encoding: "utf8" });
  return { out: stdout, err: stderr, code: status };
}

describe("bench:rca", () => {
  test("writes a prediction a line with confidence and verdict, where no labels are", () => {
    const out = join(folder, "predictions.jsonl");
    const told = run("--out", out);
    expect(told).toMatchObject({ code: 0, err: "" });
    expect(told.out).toMatch(/n 1, 1 cause, 0 none, 0 insufficient; .* p95 [\d.]+ ms/);
    const [line, ...rest] = readFileSync(out, "utf8").trim().split("\n");
    expect(rest).toEqual([]);
    const prediction = JSON.parse(line ?? "");
    expect(prediction).toMatchObject({ id: "one", ranking: ["store", "front"], verdict: "cause" });
    expect(prediction.confidence).toBeGreaterThan(0.8);
  });

  test("scores against labels, also with a part left out", () => {
    const labels = join(folder, "labels.json");
    writeFileSync(labels, JSON.stringify({ one: { root_cause: "store", fault_type: "latency" } }));
    const { out } = run("--ablation");
    rmSync(labels);
    expect(out).toMatch(/all +n +1 +top1 1\.000 \(0\.21–1\.00\)/);
    expect(out).toMatch(/without topology +n +1 +top1/);
  });

  test("says from which minute on the right cause was first, once its step is measured", () => {
    const labels = join(folder, "labels.json");
    writeFileSync(labels, JSON.stringify({ one: { root_cause: "store", fault_type: "latency" } }));
    const { out } = run("--replay");
    rmSync(labels);
    expect(out).toMatch(/within 15 min: 1 of 1, never: 0/);
    // Asked at 100,700 s; the step from 100,600 s on is over at 100,900 s.
    expect(out).toMatch(/after the symptom: median 4\.0 min, p90 4\.0 min \(1 of 1\)/);
  });

  test("is silent about healthy windows", () => {
    expect(run("--healthy").out).toMatch(/n 20, 0 cause, 20 none, 0 insufficient/);
  });

  test("says what was right with telemetry perturbed, the same for the same seeds", () => {
    const labels = join(folder, "labels.json");
    writeFileSync(labels, JSON.stringify({ one: { root_cause: "store", fault_type: "latency" } }));
    const asked = ["--perturb", "names", "--perturb", "counts", "--seeds", "2"];
    const [first, second] = [run(...asked), run(...asked)];
    rmSync(labels);
    expect(first.out).toMatch(/as told +n +1 +top1 1\.000/);
    expect(first.out).toMatch(/names +n +2 +top1 1\.000/);
    expect(first.out).toMatch(/counts +n +2 +top1 1\.000/);
    const rows = (out: string) => out.split("\n").slice(1);
    expect(rows(first.out)).toEqual(rows(second.out));
    expect(run("--perturb", "weather").err).toMatch(/--perturb weather: there is all, traces-50/);
  });

  test("refuses what it does not know, and says what there is", () => {
    expect(run("--set", "petshp")).toMatchObject({ code: 2, out: "" });
    expect(run("--set", "petshp").err).toMatch(/--set petshp: there is .*petshop/);
    expect(run("--without", "luck").err).toMatch(/types, topology, changes, time/);
    expect(run("--dir", join(folder, "nowhere"))).toMatchObject({ code: 2 });
  });
});
