/** Finds the few rules that could fit a name among thousands: by exact name, and by what stands before the first `*`. */
import type { ToolId } from "../kernel/index.ts";
import type { Effect } from "./ir.ts";
import type { CompiledRule } from "./rule.ts";

/** Lists remembered at most, and their longest name; agents and tools are few, but their names come from outside. */
const rememberedMax = 4_096;
const rememberedNameCharactersMax = 1_024;

/** Values by pattern. What it finds for a name holds every value whose pattern fits, and some that do not. */
class PatternMap<T> {
  readonly #exact = new Map<string, T>();
  /** By length, then text, of the literal head of a pattern with `*`. */
  readonly #heads = new Map<number, Map<string, T>>();

  /** The value of a pattern; absent patterns are `*`. Made by `make` when there is none. */
  at(pattern: string | undefined, make: () => T): T {
    const star = pattern?.indexOf("*") ?? 0;
    const [map, key] =
      pattern !== undefined && star < 0
        ? [this.#exact, pattern]
        : [this.#headsOf(star), pattern?.slice(0, star) ?? ""];
    const value = map.get(key) ?? make();
    map.set(key, value);
    return value;
  }

  find(name: string): T[] {
    const found: T[] = [];
    const exact = this.#exact.get(name);
    if (exact !== undefined) found.push(exact);
    for (const [length, heads] of this.#heads) {
      const value = heads.get(name.slice(0, length));
      if (value !== undefined) found.push(value);
    }
    return found;
  }

  #headsOf(length: number): Map<string, T> {
    const heads = this.#heads.get(length) ?? new Map<string, T>();
    this.#heads.set(length, heads);
    return heads;
  }
}

interface Placed {
  readonly at: number;
  readonly rule: CompiledRule;
}

export class Candidates {
  readonly #byTool = new PatternMap<PatternMap<Placed[]>>();
  readonly #remembered = new Map<string, Map<string, readonly CompiledRule[]>>();
  #rememberedCount = 0;

  /** `rules` in the order in which they are to be found. */
  constructor(rules: readonly CompiledRule[]) {
    for (const [at, rule] of rules.entries())
      for (const tool of rule.rule.match.tools ?? [undefined])
        for (const agent of rule.rule.match.agents ?? [undefined])
          this.#byTool
            .at(tool, () => new PatternMap())
            .at(agent, () => [])
            .push({ at, rule });
  }

  /** The rules whose `match` fits, in order. */
  of(effect: Effect, tool: ToolId, agent: string): readonly CompiledRule[] {
    const place = `${effect} ${tool}`;
    const known = this.#remembered.get(place)?.get(agent);
    if (known !== undefined) return known;
    const found = this.#search(effect, tool, agent);
    if (tool.length + agent.length > rememberedNameCharactersMax) return found;
    if (this.#rememberedCount++ >= rememberedMax) {
      this.#remembered.clear();
      this.#rememberedCount = 1;
    }
    const byAgent = this.#remembered.get(place) ?? new Map<string, readonly CompiledRule[]>();
    this.#remembered.set(place, byAgent.set(agent, found));
    return found;
  }

  #search(effect: Effect, tool: ToolId, agent: string): readonly CompiledRule[] {
    const placed = new Map<number, CompiledRule>();
    for (const byAgent of this.#byTool.find(tool))
      for (const rules of byAgent.find(agent))
        for (const { at, rule } of rules)
          if (rule.fitsEffect(effect) && rule.fitsTool(tool) && rule.fitsAgent(agent))
            placed.set(at, rule);
    return [...placed].sort(([a], [b]) => a - b).map(([, rule]) => rule);
  }
}
