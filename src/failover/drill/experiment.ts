/**
 * A drill is an experiment in Chaos Toolkit's format (version 1.0.0), with what governance needs in its extension
 * `holdfast` (AG-403 4.7). Values here are complete: variables filled in, seconds turned into milliseconds.
 */
import type { JsonObject, JsonValue } from "../../kernel/index.ts";

export interface HttpProvider {
  readonly type: "http";
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: JsonValue;
  readonly timeoutMs: number;
}

/** Run without a shell. */
export interface ProcessProvider {
  readonly type: "process";
  readonly argv: readonly [string, ...string[]];
  readonly timeoutMs: number;
}

export type Provider = HttpProvider | ProcessProvider;

/** What an output must be. `target` names a member of it: `status`, `body`, `stdout`, `headers`. */
export type Tolerance =
  | { readonly kind: "equals"; readonly value: string | number | boolean }
  | { readonly kind: "among"; readonly values: readonly JsonValue[] }
  | { readonly kind: "regex"; readonly pattern: string; readonly target?: string }
  | {
      readonly kind: "jsonpath";
      readonly path: readonly (string | number)[];
      readonly expect?: readonly JsonValue[];
      readonly count?: number;
      readonly target?: string;
    }
  | {
      readonly kind: "range";
      readonly from: number;
      readonly to: number;
      readonly target?: string;
    };

export interface Activity {
  readonly kind: "probe" | "action";
  readonly name: string;
  readonly provider: Provider;
  /** An activity without one has no opinion on its output. */
  readonly tolerance?: Tolerance;
  readonly pauseBeforeMs: number;
  readonly pauseAfterMs: number;
  /** As it stands in the file, variables not filled in: what the journal shows. */
  readonly source: JsonObject;
}

/** Something governance promises: looked at again and again until it holds or its time is over. */
export interface Control {
  readonly probe: Activity;
  readonly withinMs: number;
  /** Whether the drill fails when it does not hold. The others are reported only. */
  readonly blocking: boolean;
}

/** What the drill may touch, declared before it runs. */
export interface DrillTarget {
  readonly site: string;
  readonly components: readonly string[];
  /** Files and folders that its faults may change; absolute. */
  readonly paths: readonly string[];
  /** Origins (`http://127.0.0.1:8080`) that its actions may call, besides the site's guard. */
  readonly origins: readonly string[];
}

export interface Reach {
  readonly site: string;
  readonly component: string | null;
}

/** The extension `holdfast` of an experiment. */
export interface Governance {
  /** Names the scenario in plans, metrics and reports. */
  readonly scenario: string;
  readonly deployment: string;
  readonly targets: readonly DrillTarget[];
  /** Whether it may touch a site where agents act. The operator must allow it too. */
  readonly allowReady: boolean;
  /** Where each action of method and rollbacks reaches, by its name. */
  readonly reach: Readonly<Record<string, Reach>>;
  /** Must not hold before the method and hold after it: the fault took effect. */
  readonly faultProof: readonly Control[];
  /** Must hold while the fault lasts. */
  readonly expect: readonly Control[];
  /** Must hold after the rollback. */
  readonly recovery: readonly Control[];
  /** Their outputs together are the state that the rollback must restore. */
  readonly state: readonly Activity[];
  /** When one does not hold, the drill stops and rolls back at once. */
  readonly abort: readonly Activity[];
  /** From the first action on; then it stops and rolls back. */
  readonly durationMsMax: number;
  /** What it shows, as `regulation:clause` (`AG-403:4.3`). */
  readonly controls: readonly string[];
}

export interface Experiment {
  readonly title: string;
  readonly description: string;
  /** Checked before the method and after it, while the fault lasts: what stays true whatever fails. */
  readonly steadyState: { readonly title: string; readonly probes: readonly Activity[] };
  readonly method: readonly Activity[];
  readonly rollbacks: readonly Activity[];
  readonly governance: Governance;
  /** The file as a value, variables not filled in. */
  readonly source: JsonObject;
  /** Values that no journal may show. */
  readonly secrets: readonly string[];
}
