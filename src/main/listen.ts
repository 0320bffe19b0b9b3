/** Addresses and names: where a process listens, and the host names it answers to. */
import type { Config } from "../cli/index.ts";
import { type HostRules, loopbackRules } from "../gateway/index.ts";

/** `127.0.0.1:8420`, `[::1]:8420`. The form was checked with the configuration. */
export function hostAndPort(listen: string): { readonly host: string; readonly port: number } {
  const at = listen.lastIndexOf(":");
  return { host: listen.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(listen.slice(at + 1)) };
}

/** This machine's names, that of `public_url`, and what the operator adds. */
export function hostRules(config: Config): HostRules {
  const own = [...loopbackRules.allowedHosts, new URL(config.public_url).hostname];
  return {
    allowedHosts: [...own, ...config.allowed_hosts],
    allowedOrigins: [...own, ...config.allowed_origins],
  };
}
