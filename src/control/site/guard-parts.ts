/** What a guard is made of. */
import type { Component, GateRules } from "../../failover/index.ts";
import type { Clock, Commands, Entropy, Log, Telemetry } from "../../ports.ts";
import type { AskingParts } from "./asking.ts";
import type { BuiltInParts } from "./built-in.ts";
import type { Known } from "./guard-history.ts";
import type { GuardLog } from "./guard-log.ts";
import type { LeaseHolder } from "./lease-holder.ts";

export interface GuardParts extends AskingParts, BuiltInParts {
  readonly digest: string;
  readonly rules: GateRules;
  readonly components: readonly Component[];
  readonly lease: LeaseHolder;
  readonly guardLog: GuardLog;
  readonly commands: Commands;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly telemetry: Telemetry;
  /** What the guard's log says of its last run. */
  readonly known: Known;
}
