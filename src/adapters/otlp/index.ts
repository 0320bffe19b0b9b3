/** OTLP in protobuf (opentelemetry.io/docs/specs/otlp), decoded to the members that its JSON has. */
import protobuf from "protobufjs";
import {
  err,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";
import { otlpDefinitions } from "./definitions.ts";

export type OtlpKind = "traces" | "metrics" | "logs";

const messages: Readonly<Record<OtlpKind, string>> = {
  traces: "TracesData",
  metrics: "MetricsData",
  logs: "LogsData",
};

/** Decodes the requests of exporters. One decoder serves as long as the process lives. */
export class OtlpDecoder {
  readonly #root: protobuf.Root = protobuf.parse(otlpDefinitions).root;

  /** The error says at which byte what was wrong, as far as the decoder knows. Ids become hexadecimal, as in OTLP's JSON. */
  decode(kind: OtlpKind, bytes: Uint8Array): Result<JsonObject, string> {
    try {
      const type = this.#root.lookupType(messages[kind]);
      const message = type.decode(bytes);
      const plain: JsonValue = type.toObject(message, { longs: String, arrays: false });
      return isJsonObject(plain) ? ok(hexIds(plain)) : err("no message");
    } catch (thrown) {
      // The decoder throws for whatever is no protobuf, be it cut off or nested too deeply for the stack.
      return err(
        `no OTLP ${kind} in protobuf: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      );
    }
  }
}

function hexIds(value: JsonObject): JsonObject {
  return convert(value) as JsonObject;
}

function convert(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(convert);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, convert(member)]));
}
