/** Hours in which a channel stays silent. Questions keep; they are told when the hours are over. */

export interface QuietHours {
  /** Minutes since midnight, of the wall clock there. Where `to` is not after `from`, they last over midnight. */
  readonly fromMinute: number;
  readonly toMinute: number;
  /** A name of the IANA time zone database. */
  readonly timeZone: string;
}

const minutesOfDay = 24 * 60;

export function isQuiet({ fromMinute, toMinute, timeZone }: QuietHours, nowMs: number): boolean {
  const minute = minuteThere(timeZone, nowMs);
  return fromMinute < toMinute
    ? minute >= fromMinute && minute < toMinute
    : minute >= fromMinute || minute < toMinute;
}

/** What a clock on the wall shows there; so a day with a changed clock has its quiet hours by what people see. */
function minuteThere(timeZone: string, nowMs: number): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    ...{ timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  }).formatToParts(nowMs);
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  return of("hour") * 60 + of("minute");
}

/** `22:00` as minutes since midnight; undefined when it is no time of day. */
export function minuteOf(text: string): number | undefined {
  const [, hour, minute] = /^(\d{2}):(\d{2})$/.exec(text) ?? [];
  const minutes = Number(hour) * 60 + Number(minute);
  return Number(minute) < 60 && minutes < minutesOfDay ? minutes : undefined;
}

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en-GB", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
