/** Makes events of one case: numbers them, and gives them a time and an origin. */
import type { JsonObject } from "../../../../src/kernel/index.ts";
import { kubernetesNodeId, type ModelEvent, type NodeId } from "../../../../src/model/index.ts";
import type { KubernetesObject } from "./objects.ts";

type Untold<E> = E extends ModelEvent ? Omit<E, "id" | "knownAt" | "origin"> : never;

export class Teller {
  readonly events: ModelEvent[] = [];
  readonly #caseId: string;
  /** When the case was collected; nothing was known before. */
  readonly now: number;

  constructor(caseId: string, now: number) {
    this.#caseId = caseId;
    this.now = now;
  }

  tell(reference: string, event: Untold<ModelEvent>): void {
    this.events.push({
      ...event,
      id: `${this.#caseId}/${this.events.length}`,
      knownAt: this.now,
      origin: { source: "kubernetes", reference },
    } as ModelEvent);
  }

  /** What people want to be there, whether it is or not. */
  declared(reference: string, object: KubernetesObject): void {
    const value = { ...object } as unknown as JsonObject;
    this.tell(reference, {
      type: "node",
      at: this.now,
      node: nodeOf(object),
      aspect: "declared",
      value,
    });
  }

  /** Its metadata, spec, status and data are aspects of one node. */
  object(reference: string, object: KubernetesObject): NodeId {
    const { kind, metadata } = object;
    const node = nodeOf(object);
    const aspects: Readonly<Record<string, JsonObject | undefined>> = {
      metadata: { ...metadata, kind },
      spec: object.spec,
      status: object.status,
      data: object.data,
    };
    for (const [aspect, value] of Object.entries(aspects))
      if (value !== undefined)
        this.tell(reference, { type: "node", at: this.now, node, aspect, value });
    return node;
  }
}

const nodeOf = ({ kind, metadata }: KubernetesObject): NodeId =>
  kubernetesNodeId(kind, String(metadata["namespace"] ?? ""), String(metadata["name"]));
