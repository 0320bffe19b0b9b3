/**
 * Where the suite's clients meet: the suite starts all scenarios of a revision at once, each with a server of its own,
 * and this waits for all of them before any is driven. A gateway's upstreams are known when it starts.
 */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** One scenario that waits for its client. */
export interface Appointment {
  readonly scenario: string;
  /** The revision that the suite speaks. */
  readonly revision: string;
  /** Of the suite's server. */
  readonly url: string;
  /** What the scenario gives its client to know, such as a registered client's secret. */
  readonly context: Readonly<Record<string, unknown>>;
}

const arrivalTimeoutMs = 120_000;

export interface Meeting {
  /** For `--command`. */
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  /** Settles with `drive`; at once when it was not called. */
  over(): Promise<void>;
  close(): void;
}

/**
 * `drive` is called once, when all of `scenarios` wait; it answers each by calling `done` with what the client said, and
 * whether it ended well. When not all come in time, it is called with those that came.
 */
export async function openMeeting(
  scenarios: readonly string[],
  drive: (
    appointments: readonly Appointment[],
    done: (scenario: string, said: string, well: boolean) => void,
  ) => Promise<void>,
): Promise<Meeting> {
  const waiting = new Map<string, { appointment: Appointment; response: ServerResponse }>();
  const done = (scenario: string, said: string, well: boolean): void => {
    const response = waiting.get(scenario)?.response;
    if (response?.headersSent === false) response.writeHead(well ? 200 : 500).end(said);
  };
  let over = Promise.resolve();
  let begun = false;
  const begin = (): void => {
    if (begun) return;
    begun = true;
    clearTimeout(late);
    const appointments = [...waiting.values()].map(({ appointment }) => appointment);
    over = drive(appointments, done);
    // Who is still waiting when it fails is told why; `over` tells the run.
    over.catch((thrown: unknown) => {
      for (const { scenario } of appointments) done(scenario, String(thrown), false);
    });
  };
  const late = setTimeout(begin, arrivalTimeoutMs);
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      const appointment = JSON.parse(body) as Appointment;
      waiting.set(appointment.scenario, { appointment, response });
      if (scenarios.every((scenario) => waiting.has(scenario))) begin();
    });
  });
  await listening(server);
  const { port } = server.address() as AddressInfo;
  return {
    command: `${process.execPath} ${join(import.meta.dirname, "bridge.ts")}`,
    env: { HOLDFAST_CONFORMANCE_MEETING: `http://127.0.0.1:${port}/` },
    over: () => over,
    close: () => {
      clearTimeout(late);
      server.closeAllConnections();
      server.close();
    },
  };
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
}
