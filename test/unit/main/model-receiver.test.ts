/** Telemetry and webhooks that arrive: only with the token, whole or not at all, and stored. */
import { createHmac } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Secret } from "../../../src/cli/index.ts";
import { ModelLog, RememberedModel } from "../../../src/control/index.ts";
import { ModelReceiver } from "../../../src/main/model-receiver.ts";
import { remembranceUnlessGiven } from "../../../src/model/index.ts";
import { noStoreFaults, Random, SimClock, SimDatabase } from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";

class World {
  readonly clock = new SimClock();
  readonly database = new SimDatabase(new Random(3), this.clock, noStoreFaults);
  readonly model = new ModelLog(new SharedState(this.database.open()));
  readonly receiver = new ModelReceiver(new Secret("s3cret"), {
    ...{ model: this.model, clock: this.clock, log: { write: () => undefined } },
  });

  async post(path: string, body: unknown, headers: Record<string, string> = {}) {
    const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
    const [route] = this.receiver.routes.filter(({ prefix }) => path.startsWith(prefix));
    const sent = { authorization: "Bearer s3cret", "content-type": "application/json", ...headers };
    const given = Object.entries(sent).filter(([, value]) => value !== "");
    const answer = await route?.face({
      ...{ method: "POST", path, query: "", body: bytes, signal: new AbortController().signal },
      headers: Object.fromEntries(given.map(([name, value]) => [name, [value]])),
    });
    const text = answer?.body instanceof Uint8Array ? Buffer.from(answer.body).toString() : "";
    return { status: answer?.status, text };
  }

  async graph() {
    const model = new RememberedModel(this.model, remembranceUnlessGiven);
    await model.refresh(this.clock.wallMs());
    return model.graph.latest();
  }

  alert(name: string) {
    const startsAt = new Date(this.clock.wallMs()).toISOString();
    const alert = { status: "firing", labels: { alertname: name, service: "cart" }, startsAt };
    return { version: "4", groupKey: "k", receiver: "r", alerts: [alert] };
  }

  /** A counter, as it stands now. */
  counter(value: number) {
    const dataPoints = [{ timeUnixNano: `${this.clock.wallMs()}000000`, asInt: String(value) }];
    const sum = { isMonotonic: true, aggregationTemporality: 2, dataPoints };
    const attributes = [{ key: "service.name", value: { stringValue: "cart" } }];
    const scopeMetrics = [{ metrics: [{ name: "jobs", sum }] }];
    return { resourceMetrics: [{ resource: { attributes }, scopeMetrics }] };
  }

  spans(service: string, id: string, parent: string) {
    const nano = `${this.clock.wallMs()}000000`;
    const span = {
      ...{
        traceId: "a".repeat(32),
        spanId: id.repeat(16),
        parentSpanId: parent.repeat(16),
        name: "GET",
      },
      ...{ startTimeUnixNano: nano, endTimeUnixNano: nano },
    };
    const attributes = [{ key: "service.name", value: { stringValue: service } }];
    return { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [span] }] }] };
  }
}

describe("a webhook", () => {
  test("is stored before it is answered, once, however often it is sent", async () => {
    const world = new World();
    expect(await world.post("/hooks/alertmanager", world.alert("Slow"))).toEqual({
      status: 202,
      text: '{"taken":1}',
    });
    expect(await world.post("/hooks/alertmanager", world.alert("Slow"))).toEqual({
      status: 202,
      text: '{"taken":0}',
    });
    expect((await world.graph()).alerts().map(({ title }) => title)).toEqual(["Slow"]);
  });

  test("needs the token, or a signature with it", async () => {
    const world = new World();
    const body = Buffer.from(JSON.stringify(world.alert("Slow")));
    const signature = createHmac("sha256", "s3cret").update(body).digest("hex");
    const post = async (headers: Record<string, string>) =>
      (await world.post("/hooks/alertmanager", body, headers)).status;
    const none = { authorization: "" };
    expect(await post({ authorization: "Bearer other" })).toBe(401);
    expect(await post(none)).toBe(401);
    expect(await post({ ...none, "x-hub-signature-256": "sha256=00" })).toBe(401);
    expect(world.database.commits).toBe(0);
    expect(await post({ ...none, "x-hub-signature-256": `sha256=${signature}` })).toBe(202);
    expect(await post({ ...none, "x-pagerduty-signature": `v1=00, v1=${signature}` })).toBe(202);
  });

  test("that is broken, of another source, or of none is refused with what to do", async () => {
    const world = new World();
    const broken = { ...world.alert("x"), alerts: [{ startsAt: "now" }] };
    expect(await world.post("/hooks/alertmanager", broken)).toMatchObject({
      status: 422,
      text: expect.stringContaining("alerts[0].startsAt"),
    });
    expect(await world.post("/hooks/alertmanager", Buffer.from("{"))).toMatchObject({
      status: 422,
    });
    expect(await world.post("/hooks/github", world.alert("x"))).toMatchObject({ status: 422 });
    expect(await world.post("/hooks/tea", {})).toMatchObject({
      status: 404,
      text: expect.stringContaining("alertmanager"),
    });
    expect(await world.post("/hooks/github", { zen: "ping" })).toMatchObject({ status: 202 });
    expect(world.database.commits).toBe(0);
  });
});

describe("telemetry", () => {
  test("of services that send apart is folded together", async () => {
    const world = new World();
    expect(await world.post("/v1/traces", world.spans("web", "1", ""))).toEqual({
      status: 200,
      text: "{}",
    });
    const zipped = gzipSync(JSON.stringify(world.spans("cart", "2", "1")));
    expect(await world.post("/v1/traces", zipped, { "content-encoding": "gzip" })).toMatchObject({
      status: 200,
    });
    expect(world.database.commits).toBe(0);
    await world.receiver.fold();
    // Traces are counted one fold after they came: who calls mostly tells last.
    expect((await world.graph()).traffic()).toEqual([]);
    await world.receiver.fold();
    const [edge] = (await world.graph()).edges({ from: "service:web" });
    expect(edge).toMatchObject({ to: "service:cart", kind: "calls", basis: "observed" });
  });

  test("of a trace that comes over two folds is told by who called, and what is sent again is counted once", async () => {
    const world = new World();
    const called = world.spans("cart", "2", "1");
    await world.post("/v1/traces", called);
    await world.receiver.fold();
    await world.post("/v1/traces", called);
    await world.post("/v1/traces", world.spans("web", "1", ""));
    for (let fold = 0; fold < 3; fold++) await world.receiver.fold();
    await world.post("/v1/traces", called);
    for (let fold = 0; fold < 3; fold++) await world.receiver.fold();
    const told = (await world.graph())
      .traffic()
      .map(({ caller, callee, count }) => [caller, callee, count]);
    expect(told.toSorted()).toEqual([
      [null, "service:web", 1],
      ["service:web", "service:cart", 1],
    ]);
  });

  test("that is broken is refused at once, and nothing of it waits", async () => {
    const world = new World();
    expect(await world.post("/v1/traces", world.spans("web", "0", ""))).toMatchObject({
      status: 400,
      text: expect.stringContaining("spanId"),
    });
    expect(
      await world.post("/v1/logs", Buffer.from([0xff]), {
        "content-type": "application/x-protobuf",
      }),
    ).toMatchObject({ status: 400 });
    expect(await world.post("/v1/traces", {}, { "content-type": "text/plain" })).toMatchObject({
      status: 415,
    });
    expect(
      await world.post("/v1/traces", Buffer.from("no"), { "content-encoding": "gzip" }),
    ).toMatchObject({ status: 400 });
    await world.receiver.fold();
    expect(world.database.commits).toBe(0);
  });

  test("waits on while the store is away", async () => {
    const world = new World();
    await world.post("/v1/traces", world.spans("web", "1", ""));
    await world.receiver.fold();
    world.database.faults = { ...noStoreFaults, refused: 1 };
    await world.receiver.fold();
    world.database.faults = noStoreFaults;
    expect((await world.graph()).traffic()).toEqual([]);
    await world.receiver.fold();
    expect((await world.graph()).traffic()).toHaveLength(1);
  });

  test("counters are exported one at a time, and lose nothing while the store is away", async () => {
    const world = new World();
    const minute = async (value: number): Promise<void> => {
      await world.clock.advance(60_000);
      await world.post("/v1/metrics", world.counter(value));
      await world.receiver.fold();
    };
    await minute(600);
    world.database.faults = { ...noStoreFaults, refused: 1 };
    await minute(660);
    world.database.faults = noStoreFaults;
    await minute(780);
    const series = (await world.graph()).series("service:cart");
    expect(series.flatMap(({ points }) => points.map(([, value]) => value))).toEqual([1, 2]);
  });
});

test("telemetry waits up to 64 MiB; then exporters are told to come again, and may after the next fold", async () => {
  const world = new World();
  const text = JSON.stringify(world.counter(1));
  const big = () => world.post("/v1/metrics", Buffer.from(text.padEnd(15 * 1024 * 1024)));
  const answers = [await big(), await big(), await big(), await big(), await big()];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 503]);
  expect(answers.at(-1)?.text).toMatch(/waits to be stored/);
  await world.receiver.fold();
  expect((await big()).status).toBe(200);
});

test("telemetry says once who sent it, however often it comes", async () => {
  const world = new World();
  const versioned = (value: number) => {
    const { resourceMetrics } = world.counter(value);
    const version = { key: "service.version", value: { stringValue: "7" } };
    for (const { resource } of resourceMetrics) resource.attributes.push(version);
    return { resourceMetrics };
  };
  for (let value = 0; value < 5; value++) {
    await world.post("/v1/metrics", versioned(value));
    await world.receiver.fold();
    await world.clock.advance(15_000);
  }
  expect((await world.graph()).facts("version")).toHaveLength(1);
});
