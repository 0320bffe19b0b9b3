/** `tls`: the certificate is of whom it should be, for long enough, with the key that is pinned. */
import type { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import type { TlsVerification } from "../../failover/index.ts";
import { err, ok, type Result, sha256Hex } from "../../kernel/index.ts";
import { addressIn } from "./addresses.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";

const dayMs = 86_400_000;

interface Shown {
  readonly certificate: X509Certificate;
  /** What is wrong with its chain, by the roots that are trusted; undefined when nothing is. */
  readonly chainFault: string | undefined;
  readonly isNamed: boolean;
}

export async function tls(asking: Asking<TlsVerification>): Promise<Found> {
  const { verification, clock } = asking;
  const { server_name: name, ca_file: file, days_left_min: daysMin, pin } = verification;
  const shown = await handshake(asking, file === undefined ? undefined : await readFile(file));
  if (!shown.ok) return inconclusive(shown.error);
  const { certificate, chainFault, isNamed } = shown.value;
  const spki = certificate.publicKey.export({ type: "spki", format: "der" });
  const key = `sha256:${sha256Hex(spki)}`;
  const daysLeft = (certificate.validToDate.getTime() - clock.wallMs()) / dayMs;
  const seen = {
    observed: {
      ...{ subject: certificate.subject ?? "", names: certificate.subjectAltName ?? "" },
      ...{ serial: certificate.serialNumber, valid_to: certificate.validToDate.toISOString() },
      ...{ days_left: Math.floor(daysLeft), key },
    },
  };
  if (daysLeft < 0) return fail(`its certificate ended ${-Math.floor(daysLeft)} days ago`, seen);
  if (chainFault !== undefined) return fail(`its chain is not trusted: ${chainFault}`, seen);
  if (!isNamed) return fail(`its certificate is not for ${name}`, seen);
  if (daysLeft < daysMin)
    return fail(`its certificate ends in ${Math.floor(daysLeft)} days, expected ${daysMin}`, seen);
  if (pin !== undefined && pin !== key) return fail(`its key is ${key}, pinned is ${pin}`, seen);
  return pass(`its certificate is for ${name}, good for ${Math.floor(daysLeft)} days`, seen);
}

function handshake(
  { verification, question, signal, isTimeUp }: Asking<TlsVerification>,
  ca: Buffer | undefined,
): Promise<Result<Shown, string>> {
  const { address, server_name: name } = verification;
  const { host, port } = addressIn(address);
  return new Promise((resolve) => {
    const socket = connect({
      ...{ host, port, ...(isIP(name) === 0 ? { servername: name } : {}) },
      // Looked at below, so that what is wrong is told, instead of only that something is.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(ca === undefined ? {} : { ca }),
    });
    const settle = (result: Result<Shown, string>): void => {
      signal.removeEventListener("abort", stop);
      socket.destroy();
      resolve(result);
    };
    const stop = (): void =>
      settle(
        err(
          isTimeUp()
            ? `${address} did not answer within ${question.timeoutMs} ms`
            : "it was told to stop",
        ),
      );
    signal.addEventListener("abort", stop, { once: true });
    socket.once("secureConnect", () => settle(shownBy(socket, name)));
    socket.on("error", (error) => settle(err(`${address}: ${error.message}`)));
    socket.once("close", () => settle(err(`${address} closed the connection`)));
  });
}

function shownBy(socket: TLSSocket, name: string): Result<Shown, string> {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return err("it showed no certificate");
  const named =
    isIP(name) === 0
      ? certificate.checkHost(name, { subject: "never" })
      : certificate.checkIP(name);
  const chainFault = socket.authorized ? undefined : String(socket.authorizationError);
  return ok({ certificate, chainFault, isNamed: named !== undefined });
}
