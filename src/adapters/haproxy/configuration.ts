/**
 * An HAProxy configuration that stays closed until a site's guard opens it. Pure. For each site there is a backend of one
 * server, which takes traffic only while four things hold at once:
 *
 * 1. it starts `disabled`, and only the agent's `ready` ends that;
 * 2. the agent says `up`;
 * 3. a check of several steps passes, in which the gate must name the site that was asked;
 * 4. the last check that passed whole was no longer ago than `freshMs`, and notes that by itself.
 *
 * Each is there for a way in which HAProxy 2.6 opens by itself: an agent that is gone changes nothing, so the check (3) must
 * fail; a server counts as up until its first check has failed, also when it has just left maintenance, so somebody must
 * have said yes (1, 4). Sessions end with the server that they are on.
 *
 * For a database under Patroni the check goes on: Patroni must call itself primary, and out of recovery, because
 * `/primary` answers 200 from the moment the leader key is held, which is before the promotion.
 */
import { err, ok, type Result } from "../../kernel/index.ts";

export interface HaproxySite {
  readonly id: string;
  /** `host:port` that traffic goes to. */
  readonly server: string;
  /** `host:port` of the guard, which answers `GET /gate/<id>`. */
  readonly gate: string;
  /** `host:port` of the guard's agent check. */
  readonly agent: string;
  /** `host:port` of Patroni's REST API, where `server` is its database. */
  readonly patroni?: string;
}

export interface HaproxyListener {
  /** In names of sections. */
  readonly name: string;
  /** `host:port`, or `:port` for every address. */
  readonly bind: string;
  /** In the order of failover. */
  readonly sites: readonly HaproxySite[];
}

/** Three intervals of the check, and the time that one may take. */
const freshMs = 2_500;

/** What goes before the listeners: nothing that a configuration of one's own has to keep. */
const preamble = `# Closed unless a guard opens it. \`holdfast failover config haproxy\` makes this file from the manifest.
global
    maxconn 4096

defaults
    mode tcp
    timeout connect 2s
    timeout client 1h
    timeout server 1h
    timeout check 1s
`;

/** The error is a sentence: an address that is none, or a name that HAProxy would read as something else. */
export function haproxyConfiguration(
  listeners: readonly HaproxyListener[],
): Result<string, string> {
  const sections: string[] = [preamble];
  for (const listener of listeners) {
    const fault = faultOf(listener);
    if (fault !== undefined) return err(fault);
    sections.push(frontend(listener), ...listener.sites.map((site) => backend(listener, site)));
  }
  return ok(sections.join("\n"));
}

/** The first site that is open, in the order of failover; a connection that no site takes is closed. */
function frontend({ name, bind, sites }: HaproxyListener): string {
  const uses = sites.map(({ id }) => {
    const fresh = `{ date(0,ms),sub(proc.${passed(name, id)}) lt ${freshMs} }`;
    return `    use_backend ${name}_${id} if { nbsrv(${name}_${id}) gt 0 } ${fresh}`;
  });
  return [`frontend ${name}`, `    bind ${bind}`, ...uses, ""].join("\n");
}

function backend({ name }: HaproxyListener, site: HaproxySite): string {
  const [agentHost, agentPort] = split(site.agent);
  const lines = [
    `backend ${name}_${site.id}`,
    "    option httpchk",
    `    http-check connect ${address(site.gate)}`,
    `    http-check send meth GET uri /gate/${site.id} ver HTTP/1.1 hdr host ${site.gate} hdr connection close`,
    "    http-check expect status 200",
    `    http-check expect hdr name holdfast-site value ${site.id}`,
    ...(site.patroni === undefined ? [] : patroniSteps(site.patroni)),
    `    http-check set-var(proc.${passed(name, site.id)}) date(0,ms)`,
    "    default-server inter 500ms fall 1 rise 2 on-marked-down shutdown-sessions",
    `    server ${site.id} ${site.server} disabled check agent-check agent-addr ${agentHost} agent-port ${agentPort} agent-inter 300ms`,
  ];
  return `${lines.join("\n")}\n`;
}

function patroniSteps(patroni: string): readonly string[] {
  return [
    `    http-check connect ${address(patroni)}`,
    `    http-check send meth GET uri /primary ver HTTP/1.1 hdr host ${patroni} hdr connection close`,
    "    http-check expect status 200",
    `    http-check expect rstring "\\"role\\": *\\"(master|primary)\\""`,
  ];
}

/** The variable in which the check notes when it passed; letters, digits and underscores only. */
function passed(name: string, id: string): string {
  return `passed_${name}_${id}`.replace(/-/g, "__");
}

const wordShape = /^[a-z0-9][a-z0-9_-]*$/;
const addressShape = /^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/;

function faultOf({ name, bind, sites }: HaproxyListener): string | undefined {
  if (!wordShape.test(name)) return `${JSON.stringify(name)} is no name of a section`;
  if (!/^:\d{1,5}$/.test(bind) && !addressShape.test(bind))
    return `${JSON.stringify(bind)} is no host:port to listen at`;
  for (const { id, ...addresses } of sites) {
    if (!wordShape.test(id)) return `${JSON.stringify(id)} is no name of a site`;
    for (const [what, given] of Object.entries(addresses))
      if (!addressShape.test(given))
        return `the ${what} of site ${id} is ${JSON.stringify(given)}, and must be host:port`;
  }
  return undefined;
}

function split(hostPort: string): readonly [string, string] {
  const at = hostPort.lastIndexOf(":");
  return [hostPort.slice(0, at).replace(/^\[|\]$/g, ""), hostPort.slice(at + 1)];
}

function address(hostPort: string): string {
  const [host, port] = split(hostPort);
  return `addr ${host} port ${port}`;
}
