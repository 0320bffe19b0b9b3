/** An agent with several calls under way. It sits outside: messages to and from the gateway get lost and doubled. */
import { leafHash, noteVerifier, parseProof, verifyReceipt } from "../audit/index.ts";
import type { Governed } from "../gateway/index.ts";
import { strikes } from "./faults.ts";
import type { SimGateway } from "./gateway.ts";
import type { Random } from "./random.ts";
import { randomCall, type SimCall } from "./workload.ts";
import type { World } from "./world.ts";

const patienceMs = 1_000;

export class SimAgent {
  readonly #world: World;
  readonly #name: string;
  readonly #random: Random;
  /** Calls that a living gateway took and has not answered. */
  readonly #unanswered = new Map<number, SimGateway>();
  #calls = 0;

  constructor(world: World, name: string) {
    this.#world = world;
    this.#name = name;
    this.#random = world.random.fork();
  }

  async live(): Promise<void> {
    const { lanes } = this.#world.temper;
    await Promise.all(Array.from({ length: lanes }, () => this.#lane()));
  }

  /** A gateway that lives and took a call answers it. */
  checkAnswered(): void {
    const { gateway, violations } = this.#world;
    for (const [call, asked] of this.#unanswered)
      if (asked === gateway) violations.add("answered", `${this.#name} call ${call}`);
  }

  /** In quiet times a read that policy allows must get through. */
  async callOnce(): Promise<void> {
    const { gateway, violations } = this.#world;
    if (gateway === undefined) return;
    const governed = await gateway.serve({
      agent: this.#name,
      tool: "pay:list",
      args: { page: 1 },
    });
    this.#keep(governed);
    const { decision, forwarded } = governed;
    if (decision.decision !== "allow" || forwarded?.outcome === "not_sent")
      violations.add("available_after_faults", `${decision.decision}: ${decision.reason}`);
  }

  async #lane(): Promise<void> {
    const { clock, temper } = this.#world;
    for (let i = 0; i < temper.callsPerLane; i++) {
      await clock.sleep(this.#random.below(60));
      await this.#call(randomCall(this.#random, this.#name));
    }
  }

  async #call(call: SimCall): Promise<void> {
    const { clock, faults, temper, events } = this.#world;
    const { lost, doubled } = temper.client;
    events.add("calls");
    if (strikes(this.#random, faults, "client.requestLost", lost)) return;
    if (strikes(this.#random, faults, "client.doubled", doubled)) void this.#ask(call);
    const given = new AbortController();
    const patience = clock.sleep(patienceMs, given.signal);
    const governed = await Promise.race([this.#ask(call), patience]);
    given.abort();
    if (governed && !strikes(this.#random, faults, "client.answerLost", lost)) this.#keep(governed);
  }

  async #ask(call: SimCall): Promise<Governed<string> | undefined> {
    const { gateway, events } = this.#world;
    if (gateway === undefined) {
      events.add("no gateway");
      await this.#world.clock.sleep(this.#random.below(60));
      return undefined;
    }
    const number = this.#calls++;
    this.#unanswered.set(number, gateway);
    const governed = await gateway.serve(call);
    this.#unanswered.delete(number);
    return governed;
  }

  /** Believes nothing: the receipt must prove the decision the agent was told. */
  #keep({ decision, receipt, forwarded }: Governed<string>): void {
    const { violations, events, acknowledged, checkpoints, signer } = this.#world;
    const { call_id: call, refusal } = decision;
    const outcome = refusal ?? decision.decision;
    events.add(`answered ${outcome}`);
    this.#world.tell(`answer ${call} ${outcome} ${forwarded?.outcome ?? "-"}`);
    if (receipt === undefined) {
      if (refusal !== "record_failed" && refusal !== "too_many_calls")
        violations.add("acknowledged_is_kept", `${call} (${outcome}) has no receipt`);
      return;
    }
    const proven = verifyReceipt(receipt, noteVerifier(signer.name, signer.publicKey));
    if (!proven.ok) {
      violations.add("acknowledged_is_kept", `${call}: ${proven.error}`);
      return;
    }
    const { index, entry } = proven.value;
    const parsed = parseProof(receipt);
    if (parsed.ok) checkpoints.add(parsed.value.checkpoint);
    const leaf = Buffer.from(leafHash(entry)).toString("hex");
    acknowledged.push({ call, index, leaf, outcomeRecorded: forwarded !== undefined });
  }
}
