/** What the files of an infrastructure say that a manifest is about. */
import type { ComponentClass } from "../../failover/index.ts";
import type { JsonObject, JsonValue } from "../../kernel/index.ts";
import type { Diagnostic, Position } from "../../policy/index.ts";

export interface Place extends Position {
  readonly file: string;
}

/** A component as far as the files say; what they leave out is the base manifest's to say. */
export interface DraftComponent {
  readonly name: string;
  readonly class: ComponentClass;
  readonly verify?: JsonObject;
  /** Of a secret: for a verification of kind `secret_version` that names none. No part of a manifest by itself. */
  readonly secret_version?: string | number;
  readonly latency_ms_max?: number;
  readonly on_failure?: JsonValue;
  readonly depends_on: readonly string[];
  readonly sites: readonly string[];
  readonly controls: readonly string[];
  readonly covers: readonly string[];
}

/** One thing of the infrastructure. Without a component, and not set aside: it is in no manifest. */
export interface FoundPart {
  readonly place: Place;
  /** `service gateway`, `Deployment agents/gateway` */
  readonly what: string;
  readonly component?: DraftComponent;
  /** Marked `none`: people say that no component is needed. */
  readonly setAside?: boolean;
  /** Worth knowing, such as an image that is not pinned. */
  readonly remarks: readonly string[];
}

export interface FoundSite {
  readonly id: string;
  readonly place: Place;
  /** Members of a site of the manifest, as far as known. */
  readonly says: JsonObject;
}

export interface FoundInfrastructure {
  readonly deployment?: string;
  readonly parts: readonly FoundPart[];
  readonly sites: readonly FoundSite[];
  readonly diagnostics: readonly Diagnostic[];
}

export type InfrastructureKind = "compose" | "kubernetes" | "terraform" | "patroni" | "haproxy";

export interface InfrastructureFile {
  readonly path: string;
  readonly text: string;
  /** `sha256:<hex>` of a file beside it; undefined when it cannot be read. */
  digestBeside(path: string): string | undefined;
}
