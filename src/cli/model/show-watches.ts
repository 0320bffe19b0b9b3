/** Whether what is watched is still watched, for people and for programs. */
import { type WatchedKind, type WatchStatus, watchSilentMs } from "../../control/index.ts";
import { instantText } from "../../kernel/index.ts";
import { visible } from "./visible.ts";

export interface ShownWatch {
  readonly watched: string;
  readonly by: string;
  /** `silent`: who watched says nothing any more, and may have died. */
  readonly state: "watching" | "failing" | "stopped" | "silent";
  readonly since: string;
  /** Up to when everything that is watched is known to be as it was told; null: never yet. */
  readonly known_until: string | null;
  readonly objects: number;
  readonly faults: readonly string[];
}

export function watchShown(status: WatchStatus, nowMs: number): ShownWatch {
  const { watched, by, isStopped, kinds, writtenAtMs, startedAtMs } = status;
  const failing = kinds.filter(({ state }) => state === "failing");
  const isSilent = nowMs - writtenAtMs > watchSilentMs;
  const state = isStopped
    ? "stopped"
    : isSilent
      ? "silent"
      : failing.length > 0
        ? "failing"
        : "watching";
  const since =
    isStopped || isSilent
      ? writtenAtMs
      : Math.max(startedAtMs, ...failing.map((each) => each.sinceMs));
  const heard = kinds.map(({ heardAtMs }) => heardAtMs ?? Number.NEGATIVE_INFINITY);
  const until = Math.min(...heard);
  return {
    ...{ watched, by, state, since: instantText(since) },
    known_until: Number.isFinite(until) ? instantText(until) : null,
    objects: kinds.reduce((sum, { objects }) => sum + objects, 0),
    faults: failing.map(faultOf),
  };
}

function faultOf({ kind, namespace, heardAtMs, fault }: WatchedKind): string {
  const where = namespace === undefined ? kind : `${kind} of ${namespace}`;
  const until = heardAtMs === null ? "never listed" : `stale since ${instantText(heardAtMs)}`;
  return `${where}, ${until}: ${fault ?? "no reason given"}`;
}

export function watchLines(shown: ShownWatch): readonly string[] {
  const { watched, by, state, since, known_until: until, objects, faults } = shown;
  const known = until === null ? "not everything was listed yet" : `as it was until ${until}`;
  const words = {
    watching: "watched",
    failing: "failing",
    stopped: "not watched any more",
    silent: "not heard of",
  };
  return [
    `${visible(watched)}: ${words[state]} since ${since} by ${visible(by)}, ${objects} objects, ${known}`,
    ...faults.map((fault) => `  ${visible(fault)}`),
  ];
}
