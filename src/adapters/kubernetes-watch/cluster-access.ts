/** How a cluster is reached: a kubeconfig, or the service account of the pod this runs in. */
import {
  HttpMethod,
  IsomorphicFetchHttpLibrary,
  KubeConfig,
  RequestContext,
} from "@kubernetes/client-node";
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  ok,
  parseJsonStrict,
  type Result,
} from "../../kernel/index.ts";
import type { Resource } from "./resource.ts";

export interface ClusterPlace {
  /** Path; absent: the service account of the pod. */
  readonly kubeconfig?: string;
  /** Of the kubeconfig; its current one, unless given. */
  readonly context?: string;
}

/** What the server refused, or why it was not reached; `statusCode` as the library says it. */
export class ClusterFault extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

const listBytesMax = 256 * 1024 * 1024;
const listTimeoutMs = 30_000;
/** Objects of one page; `continue` brings the next. */
const pageObjects = 500;

/** Reads the files anew. The error is a sentence. */
export function readAccess({ kubeconfig, context }: ClusterPlace): Result<KubeConfig, string> {
  const access = new KubeConfig();
  try {
    if (kubeconfig !== undefined) access.loadFromFile(kubeconfig);
    else if (process.env["KUBERNETES_SERVICE_HOST"] === undefined)
      return err(
        "model.kubernetes: no kubeconfig is given, and this is no pod of a cluster (KUBERNETES_SERVICE_HOST is not set)",
      );
    else access.loadFromCluster();
    if (context !== undefined) access.setCurrentContext(context);
  } catch (thrown) {
    return err(
      `model.kubernetes: ${kubeconfig ?? "the service account"} cannot be read: ${text(thrown)}`,
    );
  }
  if (access.getCurrentCluster() !== null) return ok(access);
  const contexts = access.getContexts().map(({ name }) => name);
  return err(
    `model.kubernetes: ${kubeconfig} has no context ${JSON.stringify(access.getCurrentContext() ?? "")} with a cluster; it has ${contexts.join(", ") || "none"}`,
  );
}

/**
 * Credentials, TLS and proxy as the kubeconfig says, for one request. Metadata alone are asked for where nothing else may
 * be seen; who does not know that form answers with the whole object, and the rest is dropped.
 */
export class AskingAccess extends KubeConfig {
  readonly #access: () => KubeConfig;
  readonly #isNamesOnly: boolean;

  constructor(access: () => KubeConfig, { isNamesOnly }: Resource) {
    super();
    this.#access = access;
    this.#isNamesOnly = isNamesOnly === true;
  }

  override getCurrentCluster(): ReturnType<KubeConfig["getCurrentCluster"]> {
    return this.#access().getCurrentCluster();
  }

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await this.#access().applySecurityAuthentication(context);
    const asked = context.getUrl().includes("watch=true") ? "" : "List";
    if (this.#isNamesOnly)
      context.setHeaderParam(
        "Accept",
        `application/json;as=PartialObjectMetadata${asked};g=meta.k8s.io;v=1,application/json`,
      );
  }
}

export interface Listed {
  readonly items: JsonObject[];
  readonly resourceVersion: string;
}

/** Every object at `path`, of one moment, page by page. Throws a `ClusterFault`. */
export async function listAll(
  access: KubeConfig,
  path: string,
  signal: AbortSignal,
): Promise<Listed> {
  try {
    return await listPages(access, path, pageObjects, signal);
  } catch (thrown) {
    // The place within a long list is forgotten after minutes; then all of it is asked for at once.
    if (thrown instanceof ClusterFault && thrown.statusCode === 410)
      return await listPages(access, path, undefined, signal);
    throw thrown;
  }
}

async function listPages(
  access: KubeConfig,
  path: string,
  limit: number | undefined,
  signal: AbortSignal,
): Promise<Listed> {
  const found: JsonObject[] = [];
  for (let place = ""; ; ) {
    const query = new URLSearchParams({
      ...(limit !== undefined && { limit: String(limit) }),
      ...(place !== "" && { continue: place }),
    });
    const { items, metadata } = await get(access, `${path}?${query}`, signal);
    if (!isJsonArray(items) || !isJsonObject(metadata))
      throw new ClusterFault(0, `${path}: the answer is no list`);
    found.push(...items.filter(isJsonObject));
    place = String(metadata["continue"] ?? "");
    const resourceVersion = String(metadata["resourceVersion"] ?? "");
    if (place === "") return { items: found, resourceVersion };
  }
}

async function get(access: KubeConfig, path: string, signal: AbortSignal): Promise<JsonObject> {
  const request = new RequestContext(
    `${access.getCurrentCluster()?.server ?? ""}${path}`,
    HttpMethod.GET,
  );
  request.setHeaderParam("Accept", "application/json");
  request.setSignal(AbortSignal.any([signal, AbortSignal.timeout(listTimeoutMs)]));
  await access.applySecurityAuthentication(request);
  const answer = await new IsomorphicFetchHttpLibrary().send(request).toPromise();
  const body = Buffer.from(await answer.body.text());
  const value = parseJsonStrict(body, { bytesMax: listBytesMax, unsafeNumbers: "nearest" });
  const object = value.ok && isJsonObject(value.value) ? value.value : {};
  if (answer.httpStatusCode !== 200)
    throw new ClusterFault(answer.httpStatusCode, String(object["message"] ?? "no reason given"));
  return object;
}

export function text(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { cause } = thrown;
  return cause instanceof Error ? `${thrown.message}: ${cause.message}` : thrown.message;
}
