/** Addresses and names: where a process listens, and the host names it answers to. */
import { type FrontOptions, type FrontServer, serveFront } from "../adapters/http/index.ts";
import type { Config } from "../cli/index.ts";
import { type FrontFace, type HostRules, loopbackRules } from "../gateway/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";

/** Listens, or says for the operator why it cannot. */
export async function listening(
  listen: string,
  face: FrontFace,
  options: Omit<FrontOptions, "host" | "port">,
): Promise<Result<FrontServer, string>> {
  try {
    return ok(await serveFront(face, { ...hostAndPort(listen), ...options }));
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    const why = code === "EADDRINUSE" ? "another process listens there" : String(thrown);
    return err(`cannot listen on ${listen}: ${why}; stop it, or choose another address`);
  }
}

/** `127.0.0.1:8420`, `[::1]:8420`. The form was checked with the configuration. */
export function hostAndPort(listen: string): { readonly host: string; readonly port: number } {
  const at = listen.lastIndexOf(":");
  return { host: listen.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(listen.slice(at + 1)) };
}

/** This machine's names, that of the address others use, and what the operator adds. */
export function hostRules(config: Config, ...others: readonly string[]): HostRules {
  const urls = [config.public_url, ...others].map((url) => new URL(url).hostname);
  const own = [...loopbackRules.allowedHosts, ...urls];
  return {
    allowedHosts: [...own, ...config.allowed_hosts],
    allowedOrigins: [...own, ...config.allowed_origins],
  };
}
