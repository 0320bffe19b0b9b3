/** Tool definitions as stored state: pinned once, a change is told, counted and kept, across restarts. */
import { expect, test } from "vitest";
import {
  openToolPins,
  type PinnedTool,
  readToolFile,
  type Spine,
  type ToolPins,
} from "../../../src/gateway/index.ts";
import { Catalog } from "../../../src/gateway/mcp/face/catalog.ts";
import type { Identity } from "../../../src/identity/index.ts";
import type { JsonObject, JsonValue } from "../../../src/kernel/index.ts";
import type { Disk } from "../../../src/ports.ts";
import {
  type DiskFault,
  Random,
  recordingLog,
  recordingTelemetry,
  SimClock,
  SimDisk,
} from "../../../src/sim/index.ts";

class World {
  readonly clock = new SimClock();
  readonly log = recordingLog();
  readonly telemetry = recordingTelemetry();
  readonly disk: Disk;

  constructor(fault?: DiskFault) {
    this.disk = new SimDisk(new Random(1), this.clock, (operation) =>
      operation === "replace" ? fault : undefined,
    ).mount();
  }

  async start(): Promise<ToolPins> {
    const opened = await this.clock.run(openToolPins("files", this));
    if (!opened.ok) throw new Error(opened.error);
    return opened.value;
  }

  /** A gateway's life: starts, sees these lists of tools, stops. */
  async life(...lists: readonly (readonly JsonObject[])[]): Promise<ToolPins> {
    const pins = await this.start();
    const catalog = new Catalog({ server: "files", trusted: true, toolsMax: 100, pins });
    for (const tools of lists) catalog.filtered(listAnswer(tools), spine, identity, "legacy");
    await this.clock.run(pins.stored());
    return pins;
  }

  async stored(): Promise<readonly PinnedTool[]> {
    const read = await this.clock.run(readToolFile(this.disk, "files"));
    if (!read.ok) throw new Error(read.error);
    return read.value;
  }

  changes(): readonly Readonly<Record<string, unknown>>[] {
    return this.log.lines
      .filter(({ event }) => event === "tool_definition_changed")
      .map(({ fields }) => fields);
  }

  counted(): number {
    return this.telemetry.counts
      .filter(({ name }) => name === "tool_definitions_changed")
      .reduce((sum, { value }) => sum + value, 0);
  }
}

const spine = { couldCall: () => true } as unknown as Spine;
const identity = {} as Identity;

function listAnswer(tools: readonly JsonObject[]): Uint8Array {
  const answer = { jsonrpc: "2.0", id: 1, result: { tools } };
  return new TextEncoder().encode(JSON.stringify(answer));
}

const read = {
  name: "read",
  description: "Reads a file.",
  inputSchema: { type: "object", properties: { path: { type: "string" } } },
  annotations: { readOnlyHint: true },
};
const write = { name: "write", inputSchema: { type: "object" } };

test("new tools are stored, and the same tools after a restart are no news", async () => {
  const world = new World();
  await world.life([read, write]);
  expect(await world.stored()).toMatchObject([
    { name: "read", inputSchema: read.inputSchema, annotations: read.annotations },
    { name: "write" },
  ]);
  const file = () => world.clock.run(world.disk.read("tools/files.json"));
  const before = await file();
  const pins = await world.life([write, read], [read]);
  expect(await file()).toEqual(before);
  expect(pins.status).toEqual({ known: 2, changed: 0, last_changed: null });
  expect(world.changes()).toEqual([]);
  expect(world.counted()).toBe(0);
});

test.each<[string, JsonObject]>([
  ["description", { ...read, description: "Reads a file, and mails it." }],
  ["input schema", { ...read, inputSchema: { type: "object" } }],
  ["output schema", { ...read, outputSchema: { type: "object" } }],
  ["annotations", { ...read, annotations: { readOnlyHint: false } }],
])("a change of the %s while the gateway was away is told, counted and kept", async (_, now) => {
  const world = new World();
  await world.life([read]);
  const [old] = await world.stored();
  const pins = await world.life([now], [now]);
  const [changed] = await world.stored();
  expect(changed?.digest).not.toBe(old?.digest);
  expect(changed).toMatchObject({ firstSeen: old?.firstSeen, changed: { from: old?.digest } });
  expect(world.changes()).toEqual([
    { tool: "files:read", old_digest: old?.digest, new_digest: changed?.digest },
  ]);
  expect(world.counted()).toBe(1);
  expect(pins.status).toMatchObject({ known: 1, changed: 1 });
  expect((await world.life()).status).toMatchObject({ known: 1, changed: 1 });
});

test("a definition as deep as the wire lets through can be read again", async () => {
  const world = new World();
  let deep: JsonValue = {};
  for (let depth = 3; depth <= 64; depth++) deep = { not: deep };
  await world.life([{ name: "deep", inputSchema: deep as JsonObject }]);
  expect((await world.life()).status).toMatchObject({ known: 1 });
});

test("a file that Holdfast did not write stops the start: a change would go unseen", async () => {
  const world = new World();
  for (const text of ["", "{}", '{"format_version":1,"server":"other","tools":[]}']) {
    const bytes = new TextEncoder().encode(text);
    await world.clock.run(world.disk.replace("tools/files.json", bytes));
    const opened = await world.clock.run(openToolPins("files", world));
    expect(opened).toMatchObject({ ok: false, error: expect.stringContaining("restore it") });
  }
});

test("what cannot be stored is told, and the change is seen again", async () => {
  const world = new World("lost");
  const pins = await world.life([read]);
  expect(pins.status.known).toBe(1);
  expect(world.log.lines.map(({ event }) => event)).toEqual(["tool_definitions_not_stored"]);
});
