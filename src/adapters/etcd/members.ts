/**
 * The members of one etcd cluster, asked by their JSON gateway (etcd, "gRPC gateway", `/v3`). A question goes to the member
 * that answered last, and to the next one where it is certain that it had no effect.
 */
import {
  err,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  parseJsonStrict,
  type Result,
  readBody,
} from "../../kernel/index.ts";
import type {
  HttpRequest,
  HttpResponse,
  HttpTransport,
  StoreError,
  TransportError,
} from "../../ports.ts";
import type { EtcdTarget } from "./address.ts";

export interface EtcdAnswer {
  readonly body: JsonObject;
  /** The member's wall clock when it answered, whole seconds (RFC 9110 6.6.1); NaN where it did not say. */
  readonly wallMs: number;
}

interface Failure extends StoreError {
  /** Nothing came of it here, so that another member may be asked the same. */
  readonly elsewhere: boolean;
}

type Asked = Result<EtcdAnswer, Failure>;

/** etcd itself gives up on a proposal after 7 s (5 s and two elections); a member that is silent for 3 s is given up here. */
const memberTimeoutMs = 3_000;
const answerBytesMax = 16 * 1024 * 1024;
const authenticate = "/v3/auth/authenticate";
/** A member under load may take longer to answer than its tokens live, and one that has just started forgets them. */
const signInsMax = 3;

export class EtcdMembers {
  readonly #target: EtcdTarget;
  readonly #http: HttpTransport;
  /** The one to ask first. */
  #at = 0;
  /** Set by the first answer. Members of two clusters would be two arbiters. */
  #cluster: JsonValue | undefined;
  readonly #known = new Set<string>();
  #token: string | undefined;

  constructor(target: EtcdTarget, http: HttpTransport) {
    this.#target = target;
    this.#http = http;
  }

  /** A question that changes nothing. */
  read(path: string, body: JsonObject): Promise<Result<EtcdAnswer, StoreError>> {
    return this.#askAny((endpoint) => this.#read(endpoint, path, body));
  }

  /** `unknown` as soon as one member may have taken it. No member is written to before it has shown its cluster. */
  write(path: string, body: JsonObject): Promise<Result<EtcdAnswer, StoreError>> {
    return this.#askAny(async (endpoint) => {
      if (!this.#known.has(endpoint)) {
        const shown = await this.#read(endpoint, "/v3/kv/txn", {});
        if (!shown.ok) return shown;
      }
      return await this.#ask(endpoint, path, body, "unknown");
    });
  }

  async #askAny(
    ask: (endpoint: string) => Promise<Asked>,
  ): Promise<Result<EtcdAnswer, StoreError>> {
    const { endpoints } = this.#target;
    const first = this.#at;
    const refusals: string[] = [];
    for (let tried = 0; tried < endpoints.length; tried++) {
      const at = (first + tried) % endpoints.length;
      const endpoint = endpoints[at] ?? "";
      const asked = await ask(endpoint);
      if (asked.ok) {
        this.#at = at;
        return asked;
      }
      const { kind, detail, elsewhere } = asked.error;
      refusals.push(`${new URL(endpoint).host}: ${detail}`);
      if (elsewhere) continue;
      // Whoever asks next begins with another member.
      this.#at = (at + 1) % endpoints.length;
      return err({ kind, detail: refusals.join("; ") });
    }
    return err({ kind: "unreachable", detail: refusals.join("; ") });
  }

  async #read(endpoint: string, path: string, body: JsonObject): Promise<Asked> {
    const asked = await this.#ask(endpoint, path, body, "unreachable");
    return asked.ok || asked.error.kind === "busy"
      ? asked
      : err({ ...asked.error, elsewhere: true });
  }

  /** `perhaps` is what it means that the member may have acted. */
  async #ask(
    endpoint: string,
    path: string,
    body: JsonObject,
    perhaps: StoreError["kind"],
  ): Promise<Asked> {
    const asked = await this.#signedIn(endpoint, path, body, perhaps);
    if (!asked.ok) return asked;
    const header = asked.value.body["header"];
    const cluster = isJsonObject(header) ? header["cluster_id"] : undefined;
    this.#cluster ??= cluster;
    if (cluster === undefined || cluster !== this.#cluster)
      return err({
        kind: perhaps,
        detail: `it is of cluster ${String(cluster)}, the others are of ${String(this.#cluster)}`,
        elsewhere: false,
      });
    this.#known.add(endpoint);
    return asked;
  }

  /** Tokens end; whoever is not known any more signs in again. A call refused for that had no effect. */
  async #signedIn(
    endpoint: string,
    path: string,
    body: JsonObject,
    perhaps: StoreError["kind"],
  ): Promise<Asked> {
    const { login } = this.#target;
    for (let signIns = 0; ; signIns++) {
      const asked = await this.#post(endpoint, path, body, perhaps);
      const isSignedIn = asked.ok || !notSignedIn.test(asked.error.detail);
      if (isSignedIn || login === null || signIns === signInsMax) return asked;
      const signIn = await this.#post(endpoint, authenticate, { ...login }, "unreachable");
      if (!signIn.ok) return signIn;
      const token = signIn.value.body["token"];
      this.#token = typeof token === "string" ? token : undefined;
    }
  }

  async #post(
    endpoint: string,
    path: string,
    body: JsonObject,
    perhaps: StoreError["kind"],
  ): Promise<Asked> {
    const request: HttpRequest = {
      ...{ method: "POST", url: endpoint + path, body: Buffer.from(JSON.stringify(body)) },
      headers: {
        "content-type": "application/json",
        ...(this.#token === undefined ? {} : { authorization: this.#token }),
      },
      ...{ headTimeoutMs: memberTimeoutMs, idleTimeoutMs: memberTimeoutMs },
      signal: AbortSignal.timeout(memberTimeoutMs),
    };
    const sent = await this.#http.send(request);
    if (!sent.ok) return err(ofTransport(sent.error, perhaps));
    const answer = await bodyOf(sent.value);
    if (!answer.ok) return err({ kind: perhaps, detail: answer.error, elsewhere: false });
    const { status, headers } = sent.value;
    if (status !== 200) return err(ofStatus(status, answer.value["message"], perhaps));
    return ok({ body: answer.value, wallMs: Date.parse(String(headers["date"])) });
  }
}

/** etcd's words (`rpctypes`) for a token that has ended, and for none. */
const notSignedIn = /invalid auth token|user name is empty|revision of auth store is old/;

function ofTransport({ kind, detail }: TransportError, perhaps: StoreError["kind"]): Failure {
  return kind === "not_sent"
    ? { kind: "unreachable", detail, elsewhere: true }
    : { kind: perhaps, detail, elsewhere: false };
}

/**
 * The gateway turns the codes of gRPC into statuses. Below 500 the request was refused before it was proposed; above,
 * `Unavailable` is also what a proposal that timed out answers, and it may still be applied.
 */
function ofStatus(
  status: number,
  message: JsonValue | undefined,
  perhaps: StoreError["kind"],
): Failure {
  const detail = typeof message === "string" ? message : `it answered with status ${status}`;
  if (status >= 500) return { kind: perhaps, detail, elsewhere: false };
  const passes = status === 429 && detail.includes("too many requests");
  return passes
    ? { kind: "busy", detail, elsewhere: false }
    : { kind: "unreachable", detail, elsewhere: true };
}

async function bodyOf(response: HttpResponse): Promise<Result<JsonObject, string>> {
  const body = await readBody(response, answerBytesMax);
  if (!body.ok) return body;
  const parsed = parseJsonStrict(body.value, { bytesMax: answerBytesMax });
  return parsed.ok && isJsonObject(parsed.value)
    ? ok(parsed.value)
    : err("its answer is no JSON object");
}
