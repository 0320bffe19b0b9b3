/** The structured log for people, one JSON object a line, written by pino. */
import pino, { type DestinationStream } from "pino";
import type { Log } from "../../ports.ts";

export interface LogSettings {
  readonly level: "debug" | "info" | "warn" | "error";
  /** On every line: instance, role, … */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Where lines go; standard error unless given. */
  readonly destination?: DestinationStream;
}

/** Names under which a secret could travel, at the top and one level down. */
const secretNames = ["authorization", "cookie", "token", "secret", "password", "client_secret"];

export function pinoLog(settings: LogSettings): Log {
  const logger = pino(
    {
      level: settings.level,
      base: settings.fields ?? {},
      messageKey: "event",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: secretNames.flatMap((name) => [name, `*.${name}`]),
        censor: "[secret]",
      },
    },
    settings.destination ?? pino.destination({ dest: 2, sync: true }),
  );
  return {
    write(level, event, fields) {
      logger[level](fields ?? {}, event);
    },
  };
}
