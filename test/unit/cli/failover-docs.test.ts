/** The configurations that docs/failover shows are those that are printed (UPDATE_DOCS=1 writes them). */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { integrationText } from "../../../src/cli/failover/integration.ts";
import type { Manifest } from "../../../src/failover/index.ts";

const site = (id: string, net: number, jurisdiction: string) => ({
  ...{
    id,
    jurisdiction,
    blocs: ["EU"],
    failover_order: net - 1,
    guard_url: `http://10.${net}.0.1:7090`,
  },
  variables: {
    ...{ gateway: `10.${net}.0.1:8443`, agent_check: `10.${net}.0.1:7091` },
    ...{ postgres: `10.${net}.0.1:5432`, patroni: `10.${net}.0.1:8008` },
    ...{ dns_zone: "example.com", dns_name: "agents.example.com" },
  },
});

const manifest = {
  sites: [site("fra", 1, "DE"), site("dub", 2, "IE")],
  residency: [{ data_class: "trades", jurisdictions: ["EU"], transfers: [] }],
  components: [
    {
      class: "enforcement",
      verify: { kind: "kubernetes", images: [`sha256:${"0123456789abcdef".repeat(4)}`] },
    },
    { class: "audit", verify: { kind: "postgres", check: { slot: "audit_cdc" } } },
  ],
} as unknown as Manifest;

const pages = ["haproxy", "patroni", "dns", "kubernetes", "envoy"];
const block = /(<!-- generated: (\w+) -->\n```\w+\n)[\s\S]*?(```\n<!-- end -->)/g;

test.each(pages)("docs/failover/%s.md", (page) => {
  const path = `docs/failover/${page}.md`;
  const text = readFileSync(path, "utf8");
  const fresh = text.replace(block, (_, begin: string, kind: string, end: string) => {
    const now = "2026-01-01T00:00:00Z";
    const made = integrationText(kind as "haproxy", manifest, { site: "dub" }, now);
    return `${begin}${made.ok ? `${made.value.trimEnd()}\n` : made.error}${end}`;
  });
  if (process.env["UPDATE_DOCS"] === "1") writeFileSync(path, fresh);
  expect(fresh).toBe(process.env["UPDATE_DOCS"] === "1" ? fresh : text);
  expect(fresh).toMatch(block);
});
