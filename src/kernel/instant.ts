/** RFC 3339 UTC and milliseconds since 1970-01-01, by arithmetic: rules have no clock, and no `Date`. */

const dayMs = 86_400_000;
const pattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z$/;

/** `undefined` when it is no instant in UTC. */
export function instantMs(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(Number);
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const millis = Number((match[7] ?? "").padEnd(3, "0").slice(0, 3));
  const seconds = (hour * 60 + minute) * 60 + second;
  return daysSince1970(year, month, day) * dayMs + seconds * 1_000 + millis;
}

export function instantText(ms: number): string {
  const days = Math.floor(ms / dayMs);
  const left = ms - days * dayMs;
  const [year, month, day] = civil(days);
  const two = (value: number): string => String(value).padStart(2, "0");
  const time = [left / 3_600_000, (left / 60_000) % 60, (left / 1_000) % 60].map((part) =>
    two(Math.floor(part)),
  );
  const millis = String(left % 1_000).padStart(3, "0");
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}T${time.join(":")}.${millis}Z`;
}

/** Years begin in March here, so that the day that leap years add is the last of a year; 400 years have 146,097 days. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const ofEra = y - era * 400;
  const ofYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const days = ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear;
  return era * 146_097 + days - 719_468;
}

function civil(days: number): readonly [number, number, number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const years = Math.floor(
    (ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) /
      365,
  );
  const ofYear = ofEra - (365 * years + Math.floor(years / 4) - Math.floor(years / 100));
  const shiftedMonth = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return [years + era * 400 + (month <= 2 ? 1 : 0), month, day];
}
