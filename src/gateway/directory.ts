/**
 * What the operator says of subjects and resources (the PIP of XACML). It completes what a request leaves unsaid, on
 * every face, and it is who and what a search can find.
 */
import type { Identity } from "../identity/index.ts";
import type { JsonObject } from "../kernel/index.ts";

/** A subject or a resource of one tenant. */
export interface KnownEntity {
  readonly tenant: string;
  readonly type: string;
  readonly id: string;
  readonly properties: JsonObject;
}

interface Resource {
  readonly type: string;
  readonly id: string;
  readonly properties: JsonObject;
}

export class Directory {
  readonly #subjects: Entities;
  readonly #resources: Entities;

  constructor(subjects: readonly KnownEntity[] = [], resources: readonly KnownEntity[] = []) {
    this.#subjects = new Entities(subjects, ({ type, id }) => subjectName(type, id));
    this.#resources = new Entities(resources, ({ type, id }) => resourceName(type, id));
  }

  /** Properties of the token, or of the enforcement point's request, win over those of the directory. */
  completeSubject(identity: Identity): Identity {
    const known = this.#subjects.find(identity.tenant, identity.agent);
    if (known === undefined) return identity;
    return { ...identity, properties: { ...known, ...identity.properties } };
  }

  /** Properties of the request win over those of the directory. */
  completeResource(tenant: string, resource: Resource): Resource {
    const known = this.#resources.find(tenant, resourceName(resource.type, resource.id));
    if (known === undefined) return resource;
    return { ...resource, properties: { ...known, ...resource.properties } };
  }

  /** Ids of one type, in code-unit order. */
  subjectIds(tenant: string, type: string): readonly string[] {
    return this.#subjects.ids(tenant, type);
  }

  /** Ids of one type, in code-unit order. */
  resourceIds(tenant: string, type: string): readonly string[] {
    return this.#resources.ids(tenant, type);
  }
}

/** What policy calls a subject: an agent by its id, anybody else `type:id`, so that a user `bot` is not the agent `bot`. */
export function subjectName(type: string, id: string): string {
  return type === "agent" ? id : `${type}:${id}`;
}

function resourceName(type: string, id: string): string {
  return JSON.stringify([type, id]);
}

/** Found by tenant and name; listed by tenant and type. */
class Entities {
  readonly #byName = new Map<string, JsonObject>();
  readonly #idsByType = new Map<string, string[]>();

  constructor(entities: readonly KnownEntity[], nameOf: (entity: KnownEntity) => string) {
    for (const entity of entities) {
      const { tenant, type, id, properties } = entity;
      this.#byName.set(JSON.stringify([tenant, nameOf(entity)]), properties);
      const key = JSON.stringify([tenant, type]);
      const ids = this.#idsByType.get(key);
      if (ids === undefined) this.#idsByType.set(key, [id]);
      else ids.push(id);
    }
    for (const ids of this.#idsByType.values()) ids.sort();
  }

  find(tenant: string, name: string): JsonObject | undefined {
    if (this.#byName.size === 0) return undefined;
    return this.#byName.get(JSON.stringify([tenant, name]));
  }

  ids(tenant: string, type: string): readonly string[] {
    return this.#idsByType.get(JSON.stringify([tenant, type])) ?? [];
  }
}
