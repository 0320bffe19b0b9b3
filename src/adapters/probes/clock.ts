/** `clock`: the wall clock of the guard's own site against a server of time (SNTP, RFC 5905 section 14). */
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { ClockVerification } from "../../failover/index.ts";
import { err, ok, type Result } from "../../kernel/index.ts";
import { addressIn } from "./addresses.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";

const port = 123;
const packetBytes = 48;
/** Version 4, mode 3 (client). */
const clientHead = 0x23;
const serverMode = 4;
const notSynchronised = 3;
/** From 1900-01-01 to 1970-01-01, in seconds; the counter wraps in 2036 (RFC 5905 section 6). */
const epochSeconds = 2_208_988_800;

interface Reply {
  readonly packet: Buffer;
  readonly sentMs: number;
  readonly roundTripMs: number;
}

/**
 * The offset is known only to half of the time on the way, so what lies between is neither: PASS when the clock is right at worst,
 * FAIL when it is wrong at best.
 */
export async function clock(asking: Asking<ClockVerification>): Promise<Found> {
  const { ntp_server: server, skew_ms_max: max } = asking.verification;
  const asked = await ask(asking);
  if (!asked.ok) return inconclusive(asked.error);
  const { packet, sentMs, roundTripMs } = asked.value;
  const receivedMs = timeAt(packet, 32, sentMs);
  const answeredMs = timeAt(packet, 40, sentMs);
  const offsetMs = (receivedMs - sentMs + (answeredMs - (sentMs + roundTripMs))) / 2;
  const delayMs = roundTripMs - (answeredMs - receivedMs);
  const { site, nonce } = asking.question;
  const more = {
    observed: { offset_ms: round(offsetMs), delay_ms: round(delayMs), stratum: packet[1] ?? 0 },
    // It is our own clock, so nobody else can answer for it.
    echo: { site, nonce },
  };
  if (delayMs < -1) return inconclusive(`${server} claims more time than there was`, more);
  const unsureMs = Math.max(0, delayMs) / 2;
  const off = `the clock differs from ${server} by ${round(offsetMs)} ms, give or take ${round(unsureMs)}`;
  if (Math.abs(offsetMs) + unsureMs <= max) return pass(off, more);
  if (Math.abs(offsetMs) - unsureMs > max) return fail(`${off}; allowed are ${max}`, more);
  return inconclusive(`${off}; allowed are ${max}, and the way is too slow to tell`, more);
}

const round = (ms: number): number => Math.round(ms * 10) / 10;

function ask({
  verification,
  question,
  clock: time,
  signal,
  isTimeUp,
}: Asking<ClockVerification>): Promise<Result<Reply, string>> {
  const { ntp_server: server } = verification;
  const at = addressIn(server, port);
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(at.host) ? "udp6" : "udp4");
    // Not our time, but chance: the server gives it back, so nobody off the way can answer.
    const cookie = randomBytes(8);
    const request = Buffer.alloc(packetBytes);
    request[0] = clientHead;
    request.set(cookie, 40);
    let [sentMs, startMs] = [0, 0];
    let isOver = false;
    const settle = (result: Result<Reply, string>): void => {
      if (isOver) return;
      isOver = true;
      signal.removeEventListener("abort", stop);
      socket.removeAllListeners("message");
      socket.close();
      resolve(result);
    };
    const stop = (): void =>
      settle(
        err(
          isTimeUp()
            ? `${server} did not answer within ${question.timeoutMs} ms`
            : "it was told to stop",
        ),
      );
    signal.addEventListener("abort", stop, { once: true });
    socket.once("error", (error) => settle(err(`${server}: ${error.message}`)));
    socket.on("message", (packet) => {
      const roundTripMs = time.monotonicMs() - startMs;
      // Somebody else's packet is no answer, and says nothing.
      if (packet.length < packetBytes || !packet.subarray(24, 32).equals(cookie)) return;
      const fault = faultOf(packet);
      settle(fault === undefined ? ok({ packet, sentMs, roundTripMs }) : err(`${server} ${fault}`));
    });
    // Connected: the system refuses packets from any other address, and tells when nobody listens.
    socket.connect(at.port, at.host, (error?: Error) => {
      if (error) return settle(err(`${server}: ${error.message}`));
      sentMs = time.wallMs();
      startMs = time.monotonicMs();
      socket.send(request);
    });
  });
}

/** Why a reply is not the time (RFC 5905 sections 7.3 and 7.4). */
function faultOf(packet: Buffer): string | undefined {
  const head = packet[0] ?? 0;
  if ((head & 7) !== serverMode) return "answers in another mode";
  const stratum = packet[1] ?? 0;
  if (stratum === 0) return `refuses (${packet.subarray(12, 16).toString("latin1")})`;
  if (head >> 6 === notSynchronised || stratum > 15) return "has no time of its own";
  if (packet.readBigUInt64BE(40) === 0n) return "answers without a time";
  return undefined;
}

/** Milliseconds since 1970 of the timestamp there, in the era nearest to `aboutMs`. */
function timeAt(packet: Buffer, at: number, aboutMs: number): number {
  const seconds = packet.readUInt32BE(at) - epochSeconds;
  const ms = seconds * 1_000 + (packet.readUInt32BE(at + 4) / 2 ** 32) * 1_000;
  const eraMs = 2 ** 32 * 1_000;
  return ms + Math.round((aboutMs - ms) / eraMs) * eraMs;
}
