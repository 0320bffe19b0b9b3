/** `holdfast why` over a small graph: words to an answer, a picture beside it, and exit codes that a script can use. */
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fromIncident } from "../../../../src/cli/model/confirm.ts";
import { readMoment } from "../../../../src/cli/model/moment.ts";
import { formatOf } from "../../../../src/cli/model/show-picture.ts";
import { showWhy, type WhyOptions } from "../../../../src/cli/model/why.ts";
import { Graph, type ModelEvent } from "../../../../src/model/index.ts";

const minute = 60_000;
const now = Date.UTC(2026, 4, 4, 12, 0);
const told = { knownAt: now, origin: { source: "test", reference: "x" } };

/** An hour of processor use, too high in the last five minutes of one of the two. */
function processor(service: string, high: number): ModelEvent {
  const points = Array.from({ length: 60 }, (_, at): [number, number] => [
    now - (59 - at) * minute,
    (at < 55 ? 0.2 : high) + (at % 3) / 100,
  ]);
  return {
    ...{ type: "series", id: `${service} cpu`, at: now - 60 * minute, ...told },
    ...{ node: `service:${service}`, signal: "cpu", name: "cpu", points },
  };
}

const calls: ModelEvent = {
  ...{ type: "edge", id: "front calls cart", at: now - 60 * minute, ...told },
  ...{ from: "service:front", to: "service:cart", kind: "calls", basis: "observed" },
};

async function run(
  words: readonly string[],
  options: WhyOptions = {},
  events: readonly ModelEvent[] = [calls, processor("front", 0.2), processor("cart", 0.98)],
): Promise<{ code: number; out: string; err: string }> {
  const graph = new Graph();
  graph.add(events);
  const lines = { out: [] as string[], err: [] as string[] };
  const io = {
    out: (line: string) => void lines.out.push(line),
    err: (line: string) => void lines.err.push(line),
  };
  const code = await showWhy(graph, words, options, { io, nowMs: now });
  return { code, out: lines.out.join("\n"), err: lines.err.join("\n") };
}

test("names the callee that broke, in words and as JSON", async () => {
  const { code, out } = await run(["front", "slow"]);
  expect(out).toContain("service:front latency at 2026-05-04T12:00:00.000Z: service:cart");
  expect(code).toBe(0);
  const json = JSON.parse((await run(["front", "slow"], { json: true })).out);
  expect(json.causes[0]).toMatchObject({ node: "service:cart", kind: "compute.cpu" });
  expect(json.symptom.at).toBe("2026-05-04T12:00:00.000Z");
  expect(json.causes[0].onsetAt).toBe("2026-05-04T11:56:00.000Z");
  expect(json.causes[0].evidence[0].onsetAt).toBe("2026-05-04T11:56:00.000Z");
});

test("before it was known, nothing is named: exit code 1", async () => {
  const { code, out } = await run(["front", "slow"], { knownAt: "2m" }, [
    { ...calls, knownAt: now - 30 * minute },
    processor("cart", 0.98),
  ]);
  expect(out).toContain("insufficient evidence");
  expect(code).toBe(1);
});

test("about the past, what was learned later is left out, unless it is asked with; the answer says so", async () => {
  const past = { at: "2m" };
  const events = [{ ...calls, at: now - 30 * minute, knownAt: now }, processor("cart", 0.98)];
  const then = await run(["front", "slow"], past, events);
  expect(then.err).toMatch(/nothing was known at .*; 2 events .* ask with --known-at now/);
  expect(then.code).not.toBe(0);
  const later = await run(["cart", "slow"], { ...past, knownAt: "now" }, events);
  expect(later.err).toBe("");
  expect(later.out).toContain("cart");
});

test("the chain is written as a picture, by the file's ending", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "why-")), "chain.mmd");
  expect((await run(["front", "slow"], { picture: file })).code).toBe(0);
  expect(await readFile(file, "utf8")).toContain("flowchart LR");
});

test("the first cause is drafted as an incident that can be confirmed, and nothing is overwritten", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "why-")), "incident.json");
  const drafted = await run(["front", "slow"], { draft: file });
  expect(drafted.err).toContain(`holdfast model confirm ${file}`);
  const draft = await readFile(file, "utf8");
  const untouched = fromIncident(draft, "incident.json", now, "mika", []);
  expect(untouched.ok ? "" : untouched.error).toContain("$.resolution is empty");
  expect(JSON.parse(draft).at).toBe("2026-05-04T12:00:00.000Z");
  const completed = draft.replace('"resolution": ""', '"resolution": "it was restarted"');
  const confirmed = fromIncident(completed, "incident.json", now, "mika", []);
  expect(confirmed).toMatchObject({
    ok: true,
    value: {
      at: now,
      node: "service:cart",
      kind: "compute.cpu",
      chain: ["service:cart", "service:front"],
    },
  });
  const again = await run(["front", "slow"], { draft: file });
  expect(again.err).toContain("EEXIST; it is there already");
  expect(again.code).toBe(2);
});

test.each<[string[], WhyOptions, string]>([
  [["nobody"], {}, "knows nothing named `nobody`"],
  [["front", "GET", "/x", "slow"], {}, "service:front was never seen to serve `GET /x`"],
  [["front"], { at: "yesterday" }, "--at: `yesterday` is no moment"],
  [["front"], { knownAt: "5" }, "--known-at: `5` is no moment"],
  [["front"], { at: "2026-05-04T12:00:01Z" }, "2026-05-04T12:00:01.000Z is in the future"],
  [["front"], { picture: "x.png" }, "--picture: `png` is no format of pictures"],
  [["front"], { picture: "/nowhere/x.svg" }, "cannot write /nowhere/x.svg: ENOENT"],
])("%j %j is refused", async (words, options, message) => {
  const { code, err } = await run(words, options);
  expect(err).toContain(message);
  expect(code).toBe(2);
});

test("a picture of an unknown kind is refused before anything is answered", async () => {
  expect((await run(["front", "slow"], { picture: "x.png" })).out).toBe("");
});

test("moments are instants, or so long ago", () => {
  expect(readMoment("90s", now)).toEqual({ ok: true, value: now - 90_000 });
  expect(readMoment("2d", now)).toEqual({ ok: true, value: now - 48 * 60 * minute });
  expect(readMoment("2026-05-04T12:00:00Z", 0)).toEqual({ ok: true, value: now });
});

test("a format that is named wins over the file's ending", () => {
  expect(formatOf("json", "x.svg")).toEqual({ ok: true, value: "json" });
  expect(formatOf(undefined, undefined)).toEqual({ ok: true, value: "svg" });
});

test("who asked for a file that cannot be written still gets the answer", async () => {
  const absent = join(tmpdir(), "no-such-folder", "chain.svg");
  const { code, out, err } = await run(["front", "slow"], { picture: absent });
  expect(out).toContain("service:cart");
  expect(err).toContain("cannot write");
  expect(code).toBe(2);
});
