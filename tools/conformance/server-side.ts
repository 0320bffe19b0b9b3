/** Server scenarios of the suite, against the fixture server itself and against the gateway in front of it. */
import { startComposed } from "../../test/fixtures/composed-gateway.ts";
import { everythingListener } from "../../test/fixtures/everything-server.ts";
import { listen } from "../../test/fixtures/mcp-gateway.ts";
import type { Check } from "./check-list.ts";
import type { Judgement } from "./legs.ts";
import { readRecord } from "./record.ts";
import { type Revision, runSuite } from "./suite.ts";

type OnScenario = (scenario: string) => void;

export async function fixtureServerAlone(
  revision: Revision,
  onScenario: OnScenario,
): Promise<readonly Check[]> {
  const server = await listen(everythingListener());
  try {
    return await runSuite({
      role: "server",
      revision,
      target: ["--url", `${server.url}/mcp`],
      onScenario,
    });
  } finally {
    server.close();
  }
}

/** The suite can send no token, so one is added in front of the gateway; everything else is the suite's own request. */
export async function gatewayAsServer(
  revision: Revision,
  onScenario: OnScenario,
): Promise<Judgement> {
  const server = await listen(everythingListener());
  const everything = { mcp: { url: `${server.url}/mcp` } };
  const gateway = await startComposed({ upstreams: { everything } });
  try {
    const target = ["--url", `${gateway.openUrl}/mcp/everything`];
    const checks = await runSuite({ role: "server", revision, target, onScenario });
    await gateway.stop();
    return { checks, record: await readRecord(gateway.log) };
  } finally {
    await gateway.close();
    server.close();
  }
}
