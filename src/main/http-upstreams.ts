/** HTTP upstreams from the configuration: routes from an OpenAPI document or from a list. */
import { type HttpUpstreamConfig, routesOf } from "../cli/index.ts";
import type { HttpUpstream } from "../gateway/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";

/** One HTTP upstream, its routes read. The error names the file and the place. */
export async function httpUpstream(
  name: string,
  config: HttpUpstreamConfig,
): Promise<Result<HttpUpstream, string>> {
  const routes = await routesOf(config);
  if (!routes.ok) return err(`upstreams.${name}: ${routes.error.join("; ")}`);
  return ok({
    name,
    baseUrl: config.base_url,
    ...(routes.value === undefined ? {} : { routes: routes.value }),
    headers: revealed(config.headers),
    forwardHeaders: config.forward_headers,
    opaqueBodies: config.opaque_bodies,
  });
}

/** The only place where configured header secrets become text. */
export function revealed(
  secrets: Readonly<Record<string, { reveal(): string }>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(secrets).map(([name, secret]) => [name, secret.reveal()]),
  );
}
