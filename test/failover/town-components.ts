/** The components of the town's manifest, and where its data may be: looked at as they should be, and looked past. Lines of YAML. */

export interface Asked {
  readonly consumer: string;
  readonly second: string;
  readonly services: string;
  readonly partner: string;
  readonly gateway: string;
  /** A file. */
  readonly token: string;
  /** A file. */
  readonly conninfo: string;
  readonly slot: string;
  readonly ntp: string;
  readonly log: string;
  readonly logKey: string;
}

interface Looks {
  readonly consumer: string;
  readonly second: string;
  readonly partner: string;
  readonly slot: string;
  readonly sidecar: string;
  readonly location: (jurisdiction: string) => string;
  readonly key: string;
  readonly log: string;
  readonly clock: string;
}

/** Each control looks at what a fault of the library breaks. */
export function soundComponents(asked: Asked): readonly string[] {
  const { services, gateway, token, conninfo, slot, ntp, log, logKey } = asked;
  const canary = `gateway_url: "${gateway}", token: { file: "${token}" }, agent: tester, tool: "pay:POST /canary"`;
  return components({
    consumer: echo(`${asked.consumer}/{site}`),
    second: echo(`${asked.second}/{site}`),
    partner: echo(`${asked.partner}/{site}`),
    slot: `{ kind: postgres, connection: { file: "${conninfo}" }, check: { slot: ${slot} } }`,
    sidecar: `{ kind: negative_canary, ${canary}, args: {}, rule: "canary/never" }`,
    location: (jurisdiction) =>
      echo(`${services}/{site}/location`, `, json: { "/jurisdiction": ${jurisdiction} }`),
    key: `{ kind: signature, jwks_url: "${services}/jwks", sign_url: "${services}/sign" }`,
    log: `{ kind: audit_canary, ${canary}, repository: "${log}", log_key: "${logKey}" }`,
    clock: `{ kind: clock, ntp_server: "${ntp}", skew_ms_max: 2000 }`,
  });
}

/** The same names, each with a control that is broken: it looks at something that stays fine. */
export function unsoundComponents(asked: Asked): readonly string[] {
  const { services, conninfo, ntp } = asked;
  const page = echo(`${services}/{site}/fine`);
  return components({
    consumer: echo(`${asked.consumer}/{site}`),
    // Of two that fail, the one that is not repaired.
    second: page,
    partner: page,
    // The server answers; whether the slot is there nobody asks.
    slot: `{ kind: postgres, connection: { file: "${conninfo}" }, check: { query: "SELECT 1", equals: "1" } }`,
    // A status page, which needs no gateway.
    ...{ sidecar: page, log: page },
    // The service answers; what it says nobody reads.
    location: () => echo(`${services}/{site}/location`),
    key: echo(`${services}/{site}/fine`),
    // As much as may be allowed, and more than the fault.
    clock: `{ kind: clock, ntp_server: "${ntp}", skew_ms_max: 60000 }`,
  });
}

function echo(url: string, more = ""): string {
  return `{ kind: http, url: "${url}", binding: echo, expect: { status: [200]${more} } }`;
}

function components(looks: Looks): readonly string[] {
  const at = (name: string, className: string, verify: string, sites = "[fra]"): string =>
    `  - { name: ${name}, class: ${className}, verify: ${verify}, latency_ms_max: 4000, on_failure: block, sites: ${sites} }`;
  return [
    at("consumer", "identity", looks.consumer, "[]"),
    at("second", "identity", looks.second, "[]"),
    at("partner", "identity", looks.partner, "[]"),
    at("change-feed", "audit", looks.slot),
    at("sidecar", "enforcement", looks.sidecar),
    at("location-fra", "residency", looks.location("DE"), "[fra]"),
    at("location-dub", "residency", looks.location("IE"), "[dub]"),
    at("signing-key", "identity", looks.key),
    at("audit-log", "audit", looks.log),
    at("clock", "identity", looks.clock),
    ...["residency:", "  - { data_class: orders, jurisdictions: [EU] }"],
  ];
}
