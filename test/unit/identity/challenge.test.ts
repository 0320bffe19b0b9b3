import { expect, test } from "vitest";
import {
  bearerChallenge,
  protectedResourceMetadata,
  resourceMetadataUrl,
} from "../../../src/identity/index.ts";

test("a challenge says no error when there was no token", () => {
  expect(bearerChallenge({})).toBe('Bearer realm="holdfast"');
});

test("nothing a token says can break out of the challenge", () => {
  const description = 'a "b" \\ c\r\nSet-Cookie: x=é';
  expect(
    bearerChallenge({
      error: "invalid_token",
      description,
      scope: ["a", "b"],
      resourceMetadata: "https://g/x",
    }),
  ).toBe(
    `Bearer realm="holdfast", error="invalid_token", error_description="a 'b' ? c??Set-Cookie: x=?", scope="a b", resource_metadata="https://g/x"`,
  );
});

test("the metadata stands between host and path (RFC 9728 §3.1)", () => {
  const at = "https://gw.example/.well-known/oauth-protected-resource";
  expect(resourceMetadataUrl("https://gw.example")).toBe(at);
  expect(resourceMetadataUrl("https://gw.example/")).toBe(at);
  expect(resourceMetadataUrl("https://gw.example/mcp/files")).toBe(`${at}/mcp/files`);
});

test("the metadata names resource, issuers and the one way to send a token", () => {
  const of = {
    resource: "https://gw.example/mcp",
    authorizationServers: ["https://issuer.example"],
    scopesSupported: ["tools"],
  };
  expect(protectedResourceMetadata(of)).toEqual({
    resource: "https://gw.example/mcp",
    authorization_servers: ["https://issuer.example"],
    bearer_methods_supported: ["header"],
    resource_name: "Holdfast",
    scopes_supported: ["tools"],
  });
});
