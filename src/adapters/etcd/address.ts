/** Where an etcd cluster is, as one address: `etcd://user:password@first:2379,second:2379/prefix`; `etcds` for TLS. */
import { err, ok, type Result } from "../../kernel/index.ts";

export interface EtcdTarget {
  /** `http://host:port` of each member, in the order to try. */
  readonly endpoints: readonly string[];
  /** Before every key of ours; ends with `/`. */
  readonly prefix: string;
  readonly login: { readonly name: string; readonly password: string } | null;
}

const shape = /^etcd(s?):\/\/(?:([^@/:]+):([^@/]*)@)?([^@/?#]+)(?:\/([\w./-]*))?$/;
const portDefault = 2379;

/** The error is a sentence for the operator, and does not repeat the address: it may hold a password. */
export function etcdTarget(address: string): Result<EtcdTarget, string> {
  const parts = shape.exec(address);
  const expected =
    "the store's address is not etcd://[user:password@]host:port[,host:port…][/prefix] (etcds:// for TLS)";
  if (parts === null) return err(expected);
  const [, tls, name, password = "", hosts = "", path = ""] = parts;
  const endpoints = hosts.split(",").map((host) => endpoint(tls === "s" ? "https" : "http", host));
  if (!endpoints.every((each) => each !== undefined)) return err(expected);
  const prefix = `${path.replace(/^\/+|\/+$/g, "") || "holdfast"}/`;
  try {
    const login =
      name === undefined
        ? null
        : { name: decodeURIComponent(name), password: decodeURIComponent(password) };
    return ok({ endpoints, prefix, login });
  } catch {
    return err("the user or the password in the store's address is not percent-encoded");
  }
}

function endpoint(scheme: string, host: string): string | undefined {
  const url = `${scheme}://${/:\d+$/.test(host) ? host : `${host}:${portDefault}`}`;
  return host !== "" && URL.canParse(url) ? url : undefined;
}
