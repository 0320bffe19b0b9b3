/** What a guard is made of, and what its log says of its last run. */
import type { EntryOrigin } from "../../audit/index.ts";
import type { Component, GateRules } from "../../failover/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import type { Clock, Commands, Entropy, Log, Telemetry } from "../../ports.ts";
import type { AskingParts } from "./asking.ts";
import type { BuiltInParts } from "./built-in.ts";
import type { LeaseHolder } from "./lease-holder.ts";

export interface GuardParts extends AskingParts, BuiltInParts {
  readonly digest: string;
  readonly rules: GateRules;
  readonly components: readonly Component[];
  readonly lease: LeaseHolder;
  readonly ledger: Ledger;
  readonly commands: Commands;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly origin: EntryOrigin;
  /** What the guard's log says of its last run. */
  readonly known: Known;
}

export interface Known {
  readonly epoch: number;
  /** The failover that was under way or whose verdict stood; null: another site's turn. */
  readonly failover: string | null;
  readonly isOpen: boolean;
}
