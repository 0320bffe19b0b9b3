/** An hour and a half of a small shop: a service that fails from a minute on, and what was deployed before. */
import {
  type DiffPart,
  defaultSettings,
  type ModelEvent,
  nodeId,
  type Part,
  type WhyAnswer,
  why,
} from "../../../../../src/model/index.ts";

const minute = 60_000;
const startAt = 1_800_000_000_000;
const minutes = 90;

type Untold<E> = E extends ModelEvent ? Omit<E, "id" | "knownAt" | "origin"> : never;

export class Story {
  readonly #told: Untold<ModelEvent>[] = [];
  readonly #onset: number;
  #commits = 0;

  /** Errors of `api` rise from this minute on. */
  constructor(onset: number) {
    this.#onset = onset;
    this.measured("api", "errors", "error_ratio", (at) => (at < onset ? 0.001 : 0.4));
    this.tell({
      type: "edge",
      at: startAt,
      from: "service:web",
      to: "service:api",
      kind: "calls",
      basis: "observed",
    });
    for (let at = 0; at < minutes; at += 5) this.#log("api", "info", "served a list of orders", at);
  }

  tell(event: Untold<ModelEvent>): this {
    this.#told.push(event);
    return this;
  }

  measured(
    service: string,
    signal: "errors" | "requests" | "memory" | "cpu" | "latency" | "disk",
    name: string,
    value: (at: number) => number,
    kind: "service" | "host" = "service",
  ): this {
    const points = Array.from(
      { length: minutes },
      (_, i) => [startAt + i * minute, value(i) + (i % 3) * 1e-4] as const,
    );
    return this.tell({
      type: "series",
      at: startAt,
      node: nodeId(kind, service),
      signal,
      name,
      points,
    });
  }

  #log(service: string, severity: "info" | "error", example: string, at: number, count = 5): this {
    const template = example.replace(/[\w.-]*\d[\w.-]*/g, "<*>");
    return this.tell({
      type: "log",
      at: startAt + at * minute,
      untilAt: startAt + (at + 1) * minute,
      node: nodeId("service", service),
      severity,
      template,
      example,
      entry: "",
      count,
    });
  }

  /** Said in every minute from the onset on. */
  says(service: string, example: string): this {
    for (let at = this.#onset; at < this.#onset + 5; at += 1)
      this.#log(service, "error", example, at);
    return this;
  }

  /** Said once, in passing. */
  notes(service: string, at: number, example: string): this {
    return this.#log(service, "info", example, at, 1);
  }

  /** Said every five minutes, before and after. */
  servesAllAlong(service: string, example: string, untilAt: number = minutes): this {
    for (let at = 1; at < untilAt; at += 5) this.#log(service, "info", example, at);
    return this;
  }

  calls(from: string, to: string): this {
    return this.tell({
      type: "edge",
      at: startAt,
      from: nodeId("service", from),
      to: nodeId("service", to),
      kind: "calls",
      basis: "observed",
    });
  }

  /** A commit and, a minute later, its deploy; the id of the commit is `c1`, `c2` … */
  deploys(service: string, at: number, title: string, diff: readonly DiffPart[]): this {
    this.#commits += 1;
    const commit = nodeId("commit", `c${this.#commits}`);
    const common = { type: "change", title } as const;
    this.tell({
      ...common,
      at: startAt + (at - 1) * minute,
      change: commit,
      kind: "commit",
      targets: [],
      diff,
    });
    return this.tell({
      ...common,
      at: startAt + at * minute,
      change: nodeId("deploy", `${service}@${at}`),
      kind: "deploy",
      targets: [nodeId("service", service)],
      causedBy: [commit],
    });
  }

  events(): readonly ModelEvent[] {
    return this.#told.map(
      (event, i) =>
        ({
          ...event,
          id: `e${i}`,
          knownAt: event.at,
          origin: { source: "test", reference: `e${i}` },
        }) as ModelEvent,
    );
  }

  answer(summary: string, ...without: Part[]): WhyAnswer {
    return this.#ask(this.events(), summary, without);
  }

  /** The same, told the other way round. */
  answerBackwards(summary: string): WhyAnswer {
    return this.#ask(this.events().toReversed(), summary, []);
  }

  #ask(events: readonly ModelEvent[], summary: string, without: readonly Part[]): WhyAnswer {
    const symptom = {
      at: startAt + (this.#onset + 5) * minute,
      node: "service:api",
      text: summary,
    };
    return why(events, symptom, { ...defaultSettings, without: new Set(without) });
  }

  /** The change of the first cause that names one or is outside of ours, or its kind. */
  culprit(summary: string, ...without: Part[]): string {
    const [cause] = this.answer(summary, ...without).causes;
    return cause?.change?.replace("commit:", "") ?? cause?.kind ?? "nothing";
  }
}

export const part = (path: string, removed: string, added: string): DiffPart => ({
  path,
  removed: removed === "" ? [] : removed.split("\n"),
  added: added === "" ? [] : added.split("\n"),
});
