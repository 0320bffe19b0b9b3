/** What a worker is told and tells. Every message to it has an answer of the same id. */
import type { RegoModule } from "../../policy/index.ts";

export type Job =
  | { readonly kind: "load"; readonly digest: string; readonly module: RegoModule }
  | { readonly kind: "forget"; readonly digest: string }
  | { readonly kind: "inspect"; readonly module: RegoModule }
  | {
      readonly kind: "ask";
      readonly digest: string;
      readonly entrypoint: string;
      readonly memoryMiBMax: number;
      readonly input: Uint8Array;
    };

export type ToWorker = Job & { readonly id: number };

export interface Inspected {
  readonly entrypoints: readonly string[];
  readonly builtins: readonly string[];
}

/** `value` is JSON text: of the entrypoint (absent where it is undefined), or of `Inspected`. */
export type Told = { readonly value?: string } | { readonly why: string };
export type FromWorker = Told & { readonly id: number };
