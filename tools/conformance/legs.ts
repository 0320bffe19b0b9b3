/** The comparisons: the gateway as a server and as a client, in every revision. */
import type { Check } from "./check-list.ts";
import { gatewayAsClient, officialClientAlone } from "./client-side.ts";
import type { GatewayRecord } from "./record.ts";
import { fixtureServerAlone, gatewayAsServer } from "./server-side.ts";
import { type Revision, type Role, scenariosOf } from "./suite.ts";

/** What the suite found of the gateway, and what the gateway recorded meanwhile. */
export interface Judgement {
  readonly checks: readonly Check[];
  readonly record: GatewayRecord;
}

/** One role in one revision: the same scenarios twice, without the gateway and through it. */
export interface Leg {
  readonly role: Role;
  readonly revision: Revision;
  readonly required: readonly string[];
  readonly direct: readonly Check[];
  readonly through: readonly Check[];
  readonly record: GatewayRecord;
}

export interface Step {
  readonly role: Role;
  readonly revision: Revision;
  readonly side: "direct" | "through";
  readonly scenarios: number;
}

/** `onStep` is told of each of the two runs, and gives what is told of every scenario in it. */
export async function runLeg(
  role: Role,
  revision: Revision,
  onStep: (step: Step) => (scenario: string) => void,
): Promise<Leg> {
  const { required, notScored } = scenariosOf(role, revision);
  const scenarios = required.length + notScored.length;
  const tell = (side: Step["side"]) => onStep({ role, revision, side, scenarios });
  const [alone, behind] =
    role === "server"
      ? [fixtureServerAlone, gatewayAsServer]
      : [officialClientAlone, gatewayAsClient];
  const direct = await alone(revision, tell("direct"));
  const { checks, record } = await behind(revision, tell("through"));
  return { role, revision, required, direct, through: checks, record };
}
