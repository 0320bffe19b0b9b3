/** What the store and its worker tell each other. Values travel as text: only the store knows what they mean. */
import type { StoreError } from "../../ports.ts";

/** A key and its value; `null`: absent, or to be removed. */
export type KeyText = readonly [key: string, text: string | null];

export type Ask =
  | { readonly ask: "read"; readonly keys: readonly string[] }
  | {
      readonly ask: "list";
      readonly from: string;
      readonly before: string;
      readonly countMax: number;
    }
  /** Writes if every one of `expected` still holds. */
  | {
      readonly ask: "commit";
      readonly expected: readonly KeyText[];
      readonly writes: readonly KeyText[];
    }
  | { readonly ask: "close" };

export type Told =
  | { readonly ok: true; readonly rows: readonly KeyText[] }
  | { readonly ok: false; readonly error: StoreError };

export interface Envelope<T> {
  readonly id: number;
  readonly body: T;
}
