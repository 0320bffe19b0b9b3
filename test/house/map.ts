/** The map of the house: which room may import which, and which npm packages each place may import. */

export interface Room {
  readonly ring: 0 | 1 | 2 | 3;
  readonly holds: string;
  readonly mayImport: readonly string[];
}

const ring1 = [
  "policy",
  "identity",
  "audit",
  "limits",
  "approvals",
  "escrow",
  "failover",
  "model",
] as const;

export const rooms: Readonly<Record<string, Room>> = {
  kernel: {
    ring: 0,
    holds: "Result, ids, strict JSON, canonical JSON, digests, assert",
    mayImport: [],
  },
  ports: {
    ring: 0,
    holds: "every way the world can touch us, on one page",
    mayImport: ["kernel"],
  },
  policy: {
    ring: 1,
    holds: "the language: parse, check, compile, evaluate; emit OPA bundles",
    // A tool's target is a node of the model, and what a call does to it one of its kinds of change.
    mayImport: ["kernel", "model"],
  },
  identity: { ring: 1, holds: "agent identity, tokens, delegation", mayImport: ["kernel"] },
  audit: {
    ring: 1,
    holds: "entry, Merkle tree, checkpoint, proofs, verify",
    mayImport: ["kernel"],
  },
  limits: {
    ring: 1,
    holds: "what people and counters allow: kill switch, rates, budgets",
    mayImport: ["kernel"],
  },
  approvals: {
    ring: 1,
    holds: "what people are asked and answer: approvals, votes, quorum",
    mayImport: ["kernel"],
  },
  escrow: {
    ring: 1,
    holds: "writes held back for people: items, their life, their order",
    mayImport: ["kernel"],
  },
  failover: {
    ring: 1,
    holds: "what must be intact before a site may act: manifest, gate, permit, record, drill",
    // Verifier keys, and the steps of a failover, are in the formats of the log.
    mayImport: ["kernel", "audit"],
  },
  model: {
    ring: 1,
    holds: "the graph of production as of a time: evidence, root cause, blast radius, memory",
    mayImport: ["kernel"],
  },
  ledger: {
    ring: 2,
    holds: "the writer of a log: group commit, recovery, tiles",
    mayImport: ["kernel", "ports", "audit"],
  },
  state: {
    ring: 2,
    holds: "state that processes share: grouped transactions, the watermark",
    mayImport: ["kernel", "ports"],
  },
  gateway: {
    ring: 2,
    holds: "data plane: the life of a call, one file per stage",
    mayImport: ["kernel", "ports", "ledger", "state", ...ring1],
  },
  control: {
    ring: 2,
    holds: "control plane: policy folder to signed bundle, served; where people answer",
    mayImport: ["kernel", "ports", "ledger", "state", ...ring1],
  },
  adapters: {
    ring: 3,
    holds: "one folder per outside thing",
    mayImport: ["kernel", "ports", "gateway", "control", "ledger", "state", ...ring1],
  },
  sim: {
    ring: 3,
    holds: "a world made from a seed: the same ports with faults",
    mayImport: ["kernel", "ports", "gateway", "control", "ledger", "state", ...ring1],
  },
  cli: {
    ring: 3,
    holds: "the holdfast command",
    mayImport: ["kernel", "ports", "gateway", "control", "ledger", "state", "adapters", ...ring1],
  },
  main: {
    ring: 3,
    holds: "the one place that builds things",
    mayImport: [
      "kernel",
      "ports",
      "gateway",
      "control",
      "ledger",
      "state",
      "adapters",
      "cli",
      ...ring1,
    ],
  },
};

/** An npm package is imported in exactly one place: one file of ring 1 for a pure library, one folder of `adapters` otherwise. */
export const packages: Readonly<Record<string, string>> = {
  "@marcbachmann/cel-js": "src/policy/cel.ts",
  re2js: "src/policy/regex.ts",
  yaml: "src/policy/yaml.ts",
  jose: "src/identity/jws.ts",
  "structured-headers": "src/identity/structured-fields.ts",
  ajv: "src/adapters/json-schema/",
  undici: "src/adapters/http/",
  "tar-stream": "src/adapters/bundle/",
  pino: "src/adapters/log/",
  "prom-client": "src/adapters/telemetry/",
  "@opentelemetry/api": "src/adapters/telemetry/",
  "@opentelemetry/exporter-trace-otlp-proto": "src/adapters/telemetry/",
  "@opentelemetry/exporter-metrics-otlp-proto": "src/adapters/telemetry/",
  "@opentelemetry/sdk-metrics": "src/adapters/telemetry/",
  "@opentelemetry/resources": "src/adapters/telemetry/",
  "@opentelemetry/sdk-trace-node": "src/adapters/telemetry/",
  "@opentelemetry/semantic-conventions": "src/adapters/telemetry/",
  "@dagrejs/dagre": "src/adapters/graph-layout/",
  "@kubernetes/client-node": "src/adapters/kubernetes-watch/",
  commander: "src/cli/",
  pg: "src/adapters/postgres/",
  protobufjs: "src/adapters/otlp/",
  "openid-client": "src/adapters/oidc/",
  nodemailer: "src/adapters/email/",
  "@modelcontextprotocol/server": "src/adapters/mcp-server/",
  "@slack/web-api": "src/adapters/slack/",
  "@slack/socket-mode": "src/adapters/slack/",
  "@slack/types": "src/adapters/slack/",
};
