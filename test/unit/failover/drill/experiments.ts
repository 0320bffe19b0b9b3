/** An experiment with everything a drill needs, to change one thing at a time. */

import {
  type Experiment,
  type ExperimentProblem,
  readExperiment,
} from "../../../../src/failover/drill/index.ts";
import type { Manifest } from "../../../../src/failover/index.ts";
import type { JsonObject, JsonValue } from "../../../../src/kernel/index.ts";

export const probe = (name: string, extra: JsonObject = {}): JsonObject => ({
  type: "probe",
  name,
  tolerance: 0,
  provider: { type: "process", path: "look", arguments: [name] },
  ...extra,
});

export const action = (name: string, extra: JsonObject = {}): JsonObject => ({
  type: "action",
  name,
  provider: { type: "process", path: "do", arguments: [name] },
  ...extra,
});

export const extension = (extra: JsonObject = {}): JsonObject => ({
  name: "holdfast",
  scenario: "freeze",
  deployment: "trading-agents",
  targets: [{ site: "dub", components: ["audit"], paths: ["/srv/dub"], origins: [] }],
  reach: {
    break: { site: "dub", component: "audit" },
    mend: { site: "dub", component: "audit" },
  },
  fault_proof: [{ probe: probe("fault is there"), within_seconds: 1 }],
  expect: [{ probe: probe("gate is closed"), within_seconds: 1 }],
  recovery: [{ probe: probe("gate is open again"), within_seconds: 1 }],
  state: [{ ...action("state"), type: "probe", provider: probe("state")["provider"] ?? null }],
  controls: ["AG-403:4.3"],
  ...extra,
});

export const experiment = (extra: JsonObject = {}, governance: JsonObject = {}): JsonObject => ({
  version: "1.0.0",
  title: "The audit consumer freezes",
  description: "The gate must close.",
  "steady-state-hypothesis": {
    title: "Nothing ungoverned happens",
    probes: [probe("nothing ungoverned")],
  },
  method: [action("break")],
  rollbacks: [action("mend")],
  extensions: [extension(governance)],
  ...extra,
});

export function read(
  value: JsonValue,
  variables: Readonly<Record<string, string>> = {},
  environment: Readonly<Record<string, string>> = {},
): Experiment {
  const loaded = readExperiment(value, { variables, environment });
  if (!loaded.ok) throw new Error(loaded.error.map(sentence).join("\n"));
  return loaded.value;
}

const sentence = ({ path, message }: ExperimentProblem): string => `${path.join(".")}: ${message}`;

export function problems(value: JsonValue, variables = {}): readonly string[] {
  const loaded = readExperiment(value, { variables, environment: {} });
  return loaded.ok ? [] : loaded.error.map(sentence);
}

const site = (id: string, role: "primary" | "target", jurisdiction: string, order: number) => ({
  ...{ id, role, jurisdiction, failover_order: order },
  blocs: ["EU"],
  guard_key: "",
  guard_url: `http://${id}.example:7070`,
  variables: {},
});

export const manifest: Manifest = {
  format: "holdfast.manifest/v1",
  deployment: "trading-agents",
  tenant: "acme",
  version: 7,
  mode: "active_passive",
  profiles: [],
  objectives: {
    ...{ grto_seconds: 60, rto_seconds: 30, verdict_ttl_seconds: 20, validation_seconds: 10 },
    ...{ remediation_seconds: 15, drill_days: 90, parity_seconds: 30 },
  },
  sites: [site("fra", "primary", "DE", 0), site("dub", "target", "IE", 1)],
  residency: [],
  components: [
    {
      name: "audit",
      class: "audit",
      verify: { kind: "tcp", address: "127.0.0.1:1" },
      latency_ms_max: 500,
      on_failure: "block",
      depends_on: [],
      sites: ["dub"],
      controls: ["DORA:11"],
      covers: [],
    },
    {
      name: "identity",
      class: "identity",
      verify: { kind: "tcp", address: "127.0.0.1:1" },
      latency_ms_max: 500,
      on_failure: "block",
      depends_on: [],
      sites: ["fra"],
      controls: [],
      covers: [],
    },
  ],
  not_applicable: [],
  break_glass: { quorum: 2, keys: [], seconds_max: 600, overrides_residency: false },
  sinks: [],
  generated_from: [],
};
