/** Client scenarios of the suite, with the official client alone and with the gateway between it and the suite's server. */
import { startComposed } from "../../test/fixtures/composed-gateway.ts";
import type { Check } from "./check-list.ts";
import type { Judgement } from "./legs.ts";
import { type Appointment, openMeeting } from "./meeting.ts";
import { driveOfficialClient } from "./official-client.ts";
import { authorizedFetch, clientMetadataUrl } from "./official-oauth.ts";
import { type GatewayRecord, readRecord } from "./record.ts";
import { type Revision, runSuite, scenariosOf } from "./suite.ts";

type OnScenario = (scenario: string) => void;

/** As many clients at a time as a small machine serves without one waiting for another. */
const clientsAtOnce = 4;

/** The official client, as the suite's own client. */
export function officialClientAlone(
  revision: Revision,
  onScenario: OnScenario,
): Promise<readonly Check[]> {
  return judgedAt(revision, onScenario, async () => ({
    drive: (appointment) =>
      driveOfficialClient(
        appointment.url,
        appointment,
        appointment.scenario.startsWith("auth/") ? authorizedFetch(appointment) : undefined,
      ),
    close: async () => undefined,
  }));
}

/** The composed gateway as the suite's client: one, with an upstream for each scenario. The official client drives it. */
export async function gatewayAsClient(
  revision: Revision,
  onScenario: OnScenario,
): Promise<Judgement> {
  let record: GatewayRecord | undefined;
  const checks = await judgedAt(revision, onScenario, async (appointments) => {
    const upstreams = appointments.map((each) => [
      upstreamName(each.scenario),
      { mcp: { url: each.url, ...authOf(each) } },
    ]);
    const gateway = await startComposed({ upstreams: Object.fromEntries(upstreams) });
    return {
      drive: (each) =>
        driveOfficialClient(`${gateway.openUrl}/mcp/${upstreamName(each.scenario)}`, each),
      close: async () => {
        await gateway.stop();
        record = await readRecord(gateway.log);
        await gateway.close();
      },
    };
  });
  if (record === undefined) throw new Error("the gateway left no record");
  return { checks, record };
}

const upstreamName = (scenario: string): string => scenario.replaceAll(/[^a-z0-9-]/g, "-");

/** What an operator would write for an upstream with that authorization. */
function authOf({ scenario, context }: Appointment): object {
  if (!scenario.startsWith("auth/")) return {};
  const { client_id, client_secret } = context;
  const known = {
    ...(client_id === undefined ? {} : { client_id }),
    ...(client_secret === undefined ? {} : { client_secret }),
  };
  if (scenario === "auth/client-credentials-basic")
    return { auth: { flow: "client_credentials", ...known } };
  const flow = { flow: "authorization_code", authorize: "automatic" };
  return { auth: { ...flow, ...known, client_metadata_url: clientMetadataUrl } };
}

interface Judged {
  readonly drive: (appointment: Appointment) => Promise<string>;
  close(): Promise<void>;
}

async function judgedAt(
  revision: Revision,
  onScenario: OnScenario,
  begin: (appointments: readonly Appointment[]) => Promise<Judged>,
): Promise<readonly Check[]> {
  const { required, notScored } = scenariosOf("client", revision);
  const meeting = await openMeeting([...required, ...notScored], async (appointments, done) => {
    const judged = await begin(appointments);
    try {
      const queue = [...appointments];
      const lanes = Array.from({ length: clientsAtOnce }, async () => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const { scenario } = next;
          await judged.drive(next).then(
            (said) => done(scenario, said, true),
            (thrown: unknown) => done(scenario, String(thrown), false),
          );
        }
      });
      await Promise.all(lanes);
    } finally {
      await judged.close();
    }
  });
  try {
    const target = ["--command", meeting.command];
    const { env } = meeting;
    const checks = await runSuite({ role: "client", revision, target, env, onScenario });
    await meeting.over();
    return checks;
  } finally {
    meeting.close();
  }
}
