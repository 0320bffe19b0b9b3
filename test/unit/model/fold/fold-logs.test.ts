/** Log lines become templates: what varies is left out, what is said stays. */
import { describe, expect, test } from "vitest";
import { foldLogs, type LogLine, severityOf, templateOf } from "../../../../src/model/index.ts";

describe("a template", () => {
  test.each([
    [
      "order 4711 of anna@example.com failed after 12ms",
      "order <*> of anna@example.com failed after <*>",
    ],
    ["GET /users/b3c7bf5a-3061-4a98-8c94-cc103d686b42 200", "GET <*>"],
    ['user "Jane Doe" unknown', "user <*> unknown"],
    ["12:00:01.123, 7, [pool-1] started", "<*>, [<*>] started"],
    ["no digits at all", "no digits at all"],
    ["first line\n  at second.line(File.java)", "first line"],
    ["[seat][request: Seat(date=2, to=a, stops=[x, y])] sold", "[seat][request: <*>] sold"],
    ["stations: [nanjing, shanghai] asked", "stations: <*> asked"],
    ["[found it][step two] (twice)", "[found it][step two] (twice)"],
    ["cut off: Order(id=7, lines=[Line(", "cut off: <*>"],
    ["", ""],
  ])("of %j is %j", (line, template) => {
    expect(templateOf(line).replace("<*> <*>", "<*>")).toBe(template);
  });

  test("is the same however long the line, and quickly made of a hostile one", () => {
    const long = "a".repeat(1_000_000);
    expect(templateOf(`${long}1`)).toBe(templateOf(`${long}2`));
    expect(templateOf(`${'"'.repeat(999_999)}`).length).toBeLessThan(1_000);
    expect(templateOf("1 ".repeat(500_000))).toBe("<*>");
  });

  test("names a severity where the source does not", () => {
    expect(severityOf("java.lang.IllegalStateException: x")).toBe("error");
    expect(severityOf("12:00 WARN slow")).toBe("warn");
    expect(severityOf("DEBUG x")).toBe("debug");
    expect(severityOf("no error in sight")).toBe("info");
  });
});

describe("a fold", () => {
  const line = (at: number, text: string, more: Partial<LogLine> = {}): LogLine => ({
    ...{ at, text, service: "cart" },
    ...more,
  });
  const folding = { id: "f", source: "test", window: { ms: 100 } };

  test("counts lines by window, template and entry, in any order", () => {
    const lines = [
      line(10, "failed 1", { trace: "t" }),
      line(20, "failed 2", { trace: "t" }),
      line(30, "failed 3"),
      line(110, "failed 4", { severity: "error" }),
    ];
    const entries = new Map([["t", "web GET /"]]);
    const { logs } = foldLogs(lines, { ...folding, entries });
    expect(
      logs.map(({ at, entry, count, example, severity }) => [at, entry, count, example, severity]),
    ).toEqual([
      [0, "web GET /", 2, "failed 1", "info"],
      [0, "", 1, "failed 3", "info"],
      [100, "", 1, "failed 4", "error"],
    ]);
    const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
    const reversed = foldLogs(lines.toReversed(), { ...folding, entries }).logs;
    expect(reversed.toSorted(byId)).toEqual(logs.toSorted(byId));
  });

  test("is bounded: what is beyond is counted together", () => {
    const words = Array.from({ length: 30 }, (_, at) => line(1, `w${"x".repeat(at)}y`));
    const { logs, lumped } = foldLogs(words, { ...folding, templatesMax: 10 });
    expect(lumped).toBe(20);
    expect(logs.find(({ template }) => template === "<other>")?.count).toBe(20);
    expect(logs).toHaveLength(11);
  });
});
