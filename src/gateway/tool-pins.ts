/**
 * The tools of one server, pinned as they were first described. A definition that differs from its pin is a fact for
 * people: told in their log, counted, stored with both digests. It does not stop the call; the digest of the definition
 * that was judged is in every decision entry.
 */
import { err, ok, type Result, toolId } from "../kernel/index.ts";
import type { Clock, Disk, Log, Telemetry } from "../ports.ts";
import { isoTime } from "./record.ts";
import {
  encodeToolFile,
  type PinnedTool,
  readToolFile,
  toolFileBytesMax,
  toolFilePath,
} from "./tool-file.ts";

export interface ToolPinsParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
}

/** A tool as the server describes it now. */
export type DescribedTool = Omit<PinnedTool, "firstSeen" | "changed">;

/** For people who look in; no part of readiness. */
export interface ToolPinsStatus {
  readonly known: number;
  /** How many have ever differed from what was pinned. */
  readonly changed: number;
  /** RFC 3339. */
  readonly last_changed: string | null;
}

const changedCounter = "tool_definitions_changed";

/** Opens the pins of one server. The error is a sentence for the operator: without its pins a change would go unseen. */
export async function openToolPins(
  server: string,
  parts: ToolPinsParts,
): Promise<Result<ToolPins, string>> {
  const stored = await readToolFile(parts.disk, server);
  if (!stored.ok) return stored;
  // Present from the start, so that an alert on its increase has something to start from.
  parts.telemetry.count(changedCounter, { server }, 0);
  return ok(new ToolPins(server, stored.value, parts));
}

export class ToolPins {
  readonly #server: string;
  readonly #parts: ToolPinsParts;
  readonly #tools: Map<string, PinnedTool>;
  #unstored = false;
  #storing: Promise<void> | undefined;

  constructor(server: string, stored: readonly PinnedTool[], parts: ToolPinsParts) {
    this.#server = server;
    this.#parts = parts;
    this.#tools = new Map(stored.map((tool) => [tool.name, tool]));
  }

  get status(): ToolPinsStatus {
    const changes = [...this.#tools.values()].flatMap(({ changed }) => changed?.at ?? []);
    return {
      known: this.#tools.size,
      changed: changes.length,
      last_changed: changes.sort().at(-1) ?? null,
    };
  }

  /** Takes note of a tool. What is new is stored soon, without the caller waiting; see `stored`. */
  observe(tool: DescribedTool): void {
    const pinned = this.#tools.get(tool.name);
    if (pinned?.digest === tool.digest) return;
    const now = isoTime(this.#parts.clock.wallMs());
    if (pinned === undefined) this.#tools.set(tool.name, { ...tool, firstSeen: now });
    else {
      const changed = { at: now, from: pinned.digest };
      this.#tools.set(tool.name, { ...tool, firstSeen: pinned.firstSeen, changed });
      this.#tellChange(tool, pinned.digest);
    }
    this.#unstored = true;
    this.#storing ??= this.#store();
  }

  /** Resolves when nothing is waiting to be stored any more. */
  async stored(): Promise<void> {
    await this.#storing;
  }

  #tellChange({ name, digest }: DescribedTool, oldDigest: string): void {
    const { log, telemetry } = this.#parts;
    telemetry.count(changedCounter, { server: this.#server });
    log.write("warn", "tool_definition_changed", {
      tool: toolId(this.#server, name),
      old_digest: oldDigest,
      new_digest: digest,
    });
  }

  /** One replacement at a time. What could not be stored is told, and stored with the next news. */
  async #store(): Promise<void> {
    const path = toolFilePath(this.#server);
    const { disk, log } = this.#parts;
    // The rest of the list that is being read goes into the same file.
    await Promise.resolve();
    while (this.#unstored) {
      this.#unstored = false;
      const bytes = encodeToolFile(this.#server, [...this.#tools.values()]);
      const stored =
        bytes.length > toolFileBytesMax
          ? err({ kind: "refused", code: `over ${toolFileBytesMax} bytes`, path })
          : await disk.replace(path, bytes);
      if (!stored.ok) log.write("error", "tool_definitions_not_stored", { ...stored.error });
    }
    this.#storing = undefined;
  }
}
