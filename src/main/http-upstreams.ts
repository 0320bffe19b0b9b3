/** HTTP upstreams from the configuration: routes from an OpenAPI document or from a list. */
import { readOpenApiFile } from "../adapters/openapi/index.ts";
import type { HttpUpstreamConfig } from "../cli/index.ts";
import { type HttpUpstream, type RouteTable, readOpenApi, routeTable } from "../gateway/index.ts";
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

/** The routes that are configured, by document or by list; undefined when neither is. */
export async function routesOf(
  config: HttpUpstreamConfig,
): Promise<Result<RouteTable | undefined, readonly string[]>> {
  if (config.openapi !== undefined) {
    const document = await readOpenApiFile(config.openapi);
    return document.ok ? readOpenApi(document.value) : err([document.error]);
  }
  if (config.routes === undefined) return ok(undefined);
  return routeTable(
    config.routes.map(({ method, path, effect, description }) => ({
      method,
      template: path,
      ...(effect === undefined ? {} : { effect }),
      ...(description === undefined ? {} : { description }),
    })),
  );
}

/** The only place where configured header secrets become text. */
export function revealed(
  secrets: Readonly<Record<string, { reveal(): string }>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(secrets).map(([name, secret]) => [name, secret.reveal()]),
  );
}
