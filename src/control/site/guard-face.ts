/** The guard over HTTP: the gate for load balancers, permits for gateways, verdicts for hooks, the state for people. */
import {
  type Envelope,
  type FailoverStart,
  type Permit,
  parityType,
  permitType,
  signEnvelope,
  type Verdict,
  verdictType,
} from "../../failover/index.ts";
import { isJsonObject, type JsonObject, parseJsonStrict } from "../../kernel/index.ts";
import type { Signer } from "../../ports.ts";
import {
  headerIn,
  jsonAnswer,
  problemAnswer,
  textAnswer,
  type WebRequest,
  type WebResponse,
} from "../web.ts";
import type { BreakGlassDesk } from "./break-glass-desk.ts";
import type { Guard } from "./guard.ts";
import type { GuardParts } from "./guard-parts.ts";
import type { ParityWatch } from "./parity-watch.ts";

export interface GuardFaceParts extends GuardParts {
  readonly guard: Guard;
  readonly signer: Signer;
  readonly parityWatch: ParityWatch;
  readonly metrics: () => Promise<string>;
  /** `manifest`, or one of the files that are compared. */
  readonly file: (name: string) => Promise<string | undefined>;
  readonly breakGlass: BreakGlassDesk;
  /** Whether this is the token of those who may ask for more than the state of the gate. */
  readonly bears: (authorization: string | undefined) => boolean;
}

const bodyBytesMax = 256 * 1024;
const awaitMsMax = 600_000;
const nonceForm = "nonce: 8 to 128 visible ASCII characters";
const noncePattern = /^[!-~]{8,128}$/;

/** Everything the guard answers; undefined: not its path. */
export async function guardFace(
  parts: GuardFaceParts,
  request: WebRequest,
  signal: AbortSignal,
): Promise<WebResponse | undefined> {
  const { method, path } = request;
  const [, first, named = "", ...below] = path.split("/");
  // Envoy asks with the method and the path of the request it holds, below the gate's own.
  if (first === "gate" && (method === "GET" || below.length > 0))
    return gate(parts, named, request);
  const looked = method === "GET" ? gets[path] : undefined;
  if (looked !== undefined) return looked(parts, request);
  const asked = posts[path];
  if (asked === undefined || method !== "POST") return undefined;
  if (!parts.bears(headerIn(request, "authorization"))) return tokenRequired();
  const body = parseJsonStrict(request.body, { bytesMax: bodyBytesMax });
  if (!body.ok || !isJsonObject(body.value)) return wrong("the body is no JSON object");
  return asked(parts, body.value, signal);
}

type Get = (parts: GuardFaceParts, request: WebRequest) => Promise<WebResponse> | WebResponse;

const gets: Readonly<Record<string, Get>> = {
  "/status": (parts) => jsonAnswer(200, statusOf(parts)),
  "/parity": parity,
  "/metrics": async ({ metrics }) => textAnswer(200, "text/plain; version=0.0.4", await metrics()),
  "/file": file,
  "/record": ({ guardLog }) => jsonAnswer(200, guardLog.history.newest),
};

/** A file that must be the same at every site, for the guards of the others; what it must mean stands in `/parity`. */
async function file(parts: GuardFaceParts, request: WebRequest): Promise<WebResponse> {
  if (!parts.bears(headerIn(request, "authorization"))) return tokenRequired();
  const text = await parts.file(new URLSearchParams(request.query).get("name") ?? "");
  return text === undefined
    ? problemAnswer({
        status: 404,
        code: "no_file",
        title: "No such file",
        detail: "It is none of `failover.parity_files`, nor `manifest`.",
      })
    : textAnswer(200, "application/octet-stream", text);
}

/** What this site has, signed, for the guards of the others. */
async function parity(parts: GuardFaceParts, { query }: WebRequest): Promise<WebResponse> {
  const nonce = new URLSearchParams(query).get("nonce") ?? "";
  if (!noncePattern.test(nonce)) return wrong(nonceForm);
  const state = await parts.parityWatch.state(nonce);
  if (!state.ok)
    return problemAnswer({ status: 503, code: "unread", title: "Not known", detail: state.error });
  return jsonAnswer(200, signEnvelope(parityType, { ...state.value }, parts.signer));
}

type Post = (
  parts: GuardFaceParts,
  body: JsonObject,
  signal: AbortSignal,
) => Promise<WebResponse> | WebResponse;

const posts: Readonly<Record<string, Post>> = {
  "/permit": permit,
  "/failover": begin,
  "/await": awaitVerdict,
  "/stand-down": standDown,
  "/app-ready": appReady,
  "/break-glass": (parts, body) => parts.breakGlass.take(body),
};

/** 200 lets traffic through. Only while agents may act here, and only for this site. */
function gate(parts: GuardFaceParts, named: string, request: WebRequest): WebResponse {
  const { guard, site, deployment } = parts;
  const { phase, epoch } = guard.state;
  const nonce = new URLSearchParams(request.query).get("nonce");
  const now = named === "" || named === site.id ? guard.permit() : undefined;
  const open = now !== undefined && now.tier !== "stop";
  const headers = { "holdfast-site": site.id, "holdfast-epoch": String(epoch) };
  const body = {
    ...{ deployment, site: site.id, epoch, phase, open, tier: now?.tier ?? "stop" },
    ...(nonce === null ? {} : { nonce }),
  };
  return jsonAnswer(open ? 200 : 503, body, headers);
}

/** What people look at: the phase, why, and since when. */
export function statusOf(parts: GuardFaceParts): object {
  const { guard, site, deployment, manifest, digest, lease } = parts;
  const { phase, epoch, failing, tier, enhanced, round } = guard.state;
  const { answers, residency, watermark } = guard.evidence.newest;
  return {
    ...{ deployment, tenant: manifest.tenant, site: site.id, jurisdiction: site.jurisdiction },
    ...{ manifest_version: manifest.version, manifest_digest: digest },
    ...{ phase, epoch, tier, monitoring: enhanced ? "enhanced" : "normal", round },
    open_failover: guard.openFailover ?? null,
    failing,
    lease: lease.seen ?? null,
    parity: parts.parityWatch.status,
    ...{ answers, residency, watermark },
  };
}

async function permit(parts: GuardFaceParts, body: JsonObject): Promise<WebResponse> {
  const { nonce, instance, acknowledged, policy_version: policy } = body;
  if (typeof nonce !== "string" || !noncePattern.test(nonce)) return wrong(nonceForm);
  if (typeof instance !== "string" || instance === "") return wrong("instance: who asks");
  const { guard, site, manifest, digest, deployment, clock } = parts;
  if (typeof policy === "string") parts.parityWatch.heard(instance, policy);
  if (isJsonObject(acknowledged)) guard.witness(countsOf(acknowledged));
  // The record says when traffic went on, before it does; one that cannot say so lets nothing through.
  const opened = guard.permit();
  if (opened !== undefined && guard.openFailover !== undefined) {
    const outcome = guard.state.phase === "ready" ? "resumed" : "degraded";
    await guard.close(outcome, `permit for ${instance}`, instance);
  }
  const now = opened && guard.permit();
  const { epoch, failover, phase, failing } = guard.state;
  if (now === undefined) {
    parts.telemetry.count("permits_refused", { deployment, site: site.id });
    return closedGate(phase, failing);
  }
  const permit: Permit = {
    ...{ format: "holdfast.permit/v1", deployment, tenant: manifest.tenant, site: site.id },
    ...{ jurisdiction: site.jurisdiction, manifest_digest: digest, epoch, nonce, instance },
    failover: failover ?? "-",
    lifetime_ms: Math.floor(now.leftMs),
    ...{ tier: now.tier, monitoring: now.enhanced ? "enhanced" : "normal" },
    issued: new Date(clock.wallMs()).toISOString(),
  };
  return jsonAnswer(200, signed(parts, permitType, permit));
}

function closedGate(phase: string, failing: readonly object[]): WebResponse {
  return jsonAnswer(503, { code: "gate_closed", phase, failing });
}

function countsOf(acknowledged: JsonObject): ReadonlyMap<string, number> {
  return new Map(
    Object.entries(acknowledged).flatMap(([of, count]) =>
      Number.isSafeInteger(count) && Number(count) >= 0 ? [[of, Number(count)] as const] : [],
    ),
  );
}

async function begin(parts: GuardFaceParts, body: JsonObject): Promise<WebResponse> {
  const { guard, site, manifest, deployment, clock } = parts;
  const { mechanism, cause, detector, source_site: source, planned, initiated } = body;
  if (typeof mechanism !== "string" || typeof cause !== "string")
    return wrong("mechanism and cause: who moves the traffic, and why");
  const now = new Date(clock.wallMs()).toISOString();
  const start: Omit<FailoverStart, "failover"> = {
    ...{ deployment, tenant: manifest.tenant, site: site.id, target_site: site.id },
    ...{ mechanism, cause, planned: planned === true },
    detector: typeof detector === "string" ? detector : mechanism,
    source_site: typeof source === "string" ? source : null,
    initiated:
      typeof initiated === "string" && !Number.isNaN(Date.parse(initiated)) ? initiated : now,
  };
  const failover = await guard.begin(start);
  return jsonAnswer(202, { failover, phase: guard.state.phase });
}

/** For hooks that must not go on before the site may act. */
async function awaitVerdict(
  parts: GuardFaceParts,
  { nonce, budget_ms: budget }: JsonObject,
  signal: AbortSignal,
): Promise<WebResponse> {
  if (typeof nonce !== "string" || !noncePattern.test(nonce)) return wrong(nonceForm);
  if (typeof budget !== "number" || !(budget > 0 && budget <= awaitMsMax))
    return wrong(`budget_ms: how long to wait, at most ${awaitMsMax}`);
  const { guard, clock } = parts;
  const endMs = clock.monotonicMs() + budget;
  for (;;) {
    const verdict = verdictNow(parts, nonce);
    if (verdict !== undefined) return jsonAnswer(200, signed(parts, verdictType, verdict));
    const { phase, failing } = guard.state;
    if (phase === "blocked" || guard.failed) return closedGate(phase, failing);
    const leftMs = endMs - clock.monotonicMs();
    if (leftMs <= 0 || signal.aborted)
      return jsonAnswer(504, { code: "budget_over", phase, failing });
    await guard.changed(Math.min(leftMs, 1_000), signal);
  }
}

function verdictNow(parts: GuardFaceParts, nonce: string): Verdict | undefined {
  const { guard, site, manifest, digest, deployment, clock } = parts;
  const now = guard.permit();
  if (now === undefined || now.tier === "stop") return undefined;
  const { epoch, failover } = guard.state;
  return {
    ...{ format: "holdfast.verdict/v1", deployment, tenant: manifest.tenant, site: site.id },
    ...{ manifest_digest: digest, epoch, failover: failover ?? "-", nonce, tier: now.tier },
    issued: new Date(clock.wallMs()).toISOString(),
  };
}

async function standDown({ guard }: GuardFaceParts, { because }: JsonObject): Promise<WebResponse> {
  if (typeof because !== "string" || because === "")
    return wrong("because: why it is to stand down");
  await guard.standDown(because);
  return jsonAnswer(202, { phase: guard.state.phase });
}

async function appReady(
  { guard }: GuardFaceParts,
  { mechanism }: JsonObject,
): Promise<WebResponse> {
  const noted = await guard.appReady(typeof mechanism === "string" ? mechanism : "-");
  return jsonAnswer(200, { noted });
}

function signed({ signer }: GuardFaceParts, type: string, payload: Permit | Verdict): Envelope {
  return signEnvelope(type, { ...payload }, signer);
}

function tokenRequired(): WebResponse {
  return problemAnswer(
    {
      ...{ status: 401, code: "token_required", title: "Token required" },
      detail: "Send the token of `failover.token` as a bearer token.",
    },
    { "www-authenticate": "Bearer" },
  );
}

function wrong(detail: string): WebResponse {
  return problemAnswer({ status: 400, code: "bad_request", title: "Bad request", detail });
}
