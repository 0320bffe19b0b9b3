/**
 * What Envoy needs to follow the gate of a site (Envoy v3 API). Pure. Each request is authorised by the gate, and the cluster is
 * health-checked by it; both fail closed. One default of Envoy opens a closed site: a panic threshold of 50 % sends traffic to hosts
 * that are all unhealthy.
 */
export interface EnvoyGate {
  readonly site: string;
  /** `host:port` of the guard. */
  readonly gate: string;
  /** `host:port` of the gateway. */
  readonly server: string;
}

export function envoyConfiguration({ site, gate, server }: EnvoyGate): string {
  return `# Into the HTTP filters of the listener, before envoy.filters.http.router.
http_filters:
- name: envoy.filters.http.ext_authz
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
    failure_mode_allow: false
    status_on_error: { code: ServiceUnavailable }
    http_service:
      # Envoy appends the path of the request; the gate of ${site} answers for all that is below it.
      path_prefix: /gate/${site}
      server_uri: { uri: "http://${gate}", cluster: holdfast_guard, timeout: 0.5s }

clusters:
- name: holdfast_guard
  type: STRICT_DNS
  connect_timeout: 0.3s
  load_assignment:
    cluster_name: holdfast_guard
    endpoints: [{ lb_endpoints: [{ endpoint: ${endpoint(gate)} }] }]
- name: holdfast_gateway
  type: STRICT_DNS
  connect_timeout: 1s
  # The default of 50 % is fail-open: with every host unhealthy it uses all of them.
  common_lb_config: { healthy_panic_threshold: { value: 0 } }
  # With a health check, a host takes no traffic before its first check has passed.
  health_checks:
  - timeout: 0.5s
    interval: 0.5s
    no_traffic_interval: 0.5s
    unhealthy_threshold: 1
    healthy_threshold: 2
    always_log_health_check_failures: true
    http_health_check: { path: /gate/${site}, expected_statuses: [{ start: 200, end: 201 }] }
  load_assignment:
    cluster_name: holdfast_gateway
    endpoints:
    - lb_endpoints:
      - endpoint: { ${endpointFields(server)}, health_check_config: { ${socketAddress(gate)} } }
`;
}

function endpoint(hostPort: string): string {
  return `{ ${endpointFields(hostPort)} }`;
}

function endpointFields(hostPort: string): string {
  return `address: { socket_address: ${socket(hostPort)} }`;
}

function socketAddress(hostPort: string): string {
  return `address: { socket_address: ${socket(hostPort)} }, port_value: ${portOf(hostPort)}`;
}

function socket(hostPort: string): string {
  const host = hostPort.slice(0, hostPort.lastIndexOf(":"));
  return `{ address: "${host.replace(/^\[|\]$/g, "")}", port_value: ${portOf(hostPort)} }`;
}

function portOf(hostPort: string): string {
  return hostPort.slice(hostPort.lastIndexOf(":") + 1);
}
