/** The request body as arguments, and back. What cannot be read as a value is known by its digest and sent as it came. */
import {
  err,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  parseJsonStrict,
  type Result,
  sha256Hex,
} from "../../kernel/index.ts";
import type { FrontRequest } from "../http-front.ts";
import { limitName } from "../limit-name.ts";
import type { HttpRefusal, HttpToolLimits } from "./refusal.ts";
import { readParameters, writeParameters } from "./target.ts";

export type BodyKind = "none" | "json" | "form" | "opaque";

export interface ReadBody {
  readonly kind: BodyKind;
  /** Lower case, without parameters; empty when the request named none. */
  readonly mediaType: string;
  /** The whole Content-Type, to be sent along. */
  readonly contentType: string;
  /** Absent when there is no body. */
  readonly value?: JsonValue;
  /** Only for `opaque`: what the digest is of. */
  readonly bytes?: Uint8Array;
}

const mediaTypePattern = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;

/** Reads the body by its media type. `opaque` says what to do with one that is neither JSON nor a form. */
export function readBody(
  request: FrontRequest,
  limits: HttpToolLimits,
  opaque: "digest" | "refuse",
): Result<ReadBody, HttpRefusal> {
  const types = request.headers["content-type"] ?? [];
  const contentType = types[0] ?? "";
  const [head = "", ...parameters] = contentType.split(";");
  const mediaType = head.trim().toLowerCase();
  if (types.length > 1 || (contentType !== "" && !mediaTypePattern.test(mediaType))) {
    return refuse(400, "The Content-Type is not one media type.", "Send one Content-Type header.");
  }
  const encodings = (request.headers["content-encoding"] ?? []).join(",").trim().toLowerCase();
  if (encodings !== "" && encodings !== "identity") {
    return refuse(415, `A body encoded as ${encodings} cannot be judged.`, "Send it unencoded.");
  }
  if (request.body.length === 0) return ok({ kind: "none", mediaType, contentType });
  if (mediaType === "application/json" || mediaType.endsWith("+json")) {
    return readJson(request.body, mediaType, parameters, limits);
  }
  if (mediaType === "application/x-www-form-urlencoded") {
    return readForm(request.body, mediaType, limits);
  }
  if (opaque === "refuse") {
    return refuse(
      415,
      `This upstream takes no body of type ${JSON.stringify(mediaType)}.`,
      "Send JSON or a URL-encoded form.",
    );
  }
  const value: JsonObject = {
    digest: `sha256:${sha256Hex(request.body)}`,
    bytes: request.body.length,
    media_type: mediaType,
  };
  return ok({ kind: "opaque", mediaType, contentType, value, bytes: request.body });
}

function readJson(
  body: Uint8Array,
  mediaType: string,
  parameters: readonly string[],
  limits: HttpToolLimits,
): Result<ReadBody, HttpRefusal> {
  const charset = parameters
    .map((p) => p.trim().toLowerCase())
    .find((p) => p.startsWith("charset="));
  if (charset !== undefined && !/^charset="?utf-8"?$/.test(charset)) {
    return refuse(415, "JSON is read as UTF-8 only.", "Send it as UTF-8 (RFC 8259).");
  }
  const parsed = parseJsonStrict(body, {
    bytesMax: limits.bodyBytesMax,
    depthMax: limits.depthMax,
    caseTwins: "refuse",
  });
  if (!parsed.ok) {
    const status = parsed.error.kind === "too_large" ? 413 : 400;
    return refuse(
      status,
      `The JSON body is refused: ${parsed.error.detail}${limitName(parsed.error.kind)}.`,
      "Correct the body.",
    );
  }
  return ok({ kind: "json", mediaType, contentType: mediaType, value: parsed.value });
}

function readForm(
  body: Uint8Array,
  mediaType: string,
  limits: HttpToolLimits,
): Result<ReadBody, HttpRefusal> {
  const parsed = readParameters(Buffer.from(body).toString("latin1"), limits.parametersMax);
  if (!parsed.ok) {
    return refuse(400, `The form body is refused: it holds ${parsed.error}.`, "Correct the body.");
  }
  return ok({ kind: "form", mediaType, contentType: mediaType, value: parsed.value });
}

/** The bytes to send for the judged value. Fails when the value can no longer be written as its media type. */
export function writeBody(
  body: ReadBody,
  judged: JsonValue | undefined,
): Result<Uint8Array | undefined, string> {
  switch (body.kind) {
    case "none":
      return judged === undefined
        ? ok(undefined)
        : err("a body was added to a request without one");
    case "json":
      return ok(judged === undefined ? undefined : encode(JSON.stringify(judged)));
    case "form": {
      if (!isJsonObject(judged)) return err("the judged form is not an object");
      const text = writeParameters(judged);
      return text.ok ? ok(encode(text.value)) : text;
    }
    case "opaque": {
      const same =
        isJsonObject(judged) && judged["digest"] === (body.value as JsonObject)["digest"];
      return same ? ok(body.bytes) : err("a body known only by its digest cannot be changed");
    }
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function refuse(status: number, detail: string, next: string): Result<never, HttpRefusal> {
  return err({ status, code: status === 413 ? "too_large" : "bad_request", detail, next });
}
