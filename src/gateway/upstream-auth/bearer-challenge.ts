/** What an upstream asks for in `WWW-Authenticate` (RFC 6750 §3, RFC 9728 §5.1). */
export interface UpstreamChallenge {
  readonly error?: string;
  readonly scopes?: readonly string[];
  readonly resourceMetadata?: string;
}

const parameter = /([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi;

/** Reads the Bearer challenge of a header; an absent or foreign challenge asks for nothing in particular. */
export function readBearerChallenge(header: string | undefined): UpstreamChallenge {
  const from = header?.search(/\bbearer\b/i) ?? -1;
  if (header === undefined || from === -1) return {};
  const named = new Map<string, string>();
  for (const [, name = "", quoted, plain] of header.slice(from + 6).matchAll(parameter)) {
    const value = quoted?.replaceAll(/\\(.)/g, "$1") ?? plain ?? "";
    if (!named.has(name.toLowerCase())) named.set(name.toLowerCase(), value);
  }
  const [error, scope, resourceMetadata] = ["error", "scope", "resource_metadata"].map((name) =>
    named.get(name),
  );
  return {
    ...(error !== undefined && { error }),
    ...(scope !== undefined && { scopes: scope.split(" ").filter(Boolean) }),
    ...(resourceMetadata !== undefined && { resourceMetadata }),
  };
}
