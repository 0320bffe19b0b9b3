/** Periods of the calendar, in UTC; a week begins on Monday, as in ISO 8601. */

export type Period = "day" | "week" | "month";

const dayMs = 86_400_000;
/** 1970 began on a Thursday. */
const daysAfterMonday = 3;
const monthDaysMax = 31;

/** When the period that holds this moment began. */
export function periodStartMs(period: Period, nowMs: number): number {
  const day = Math.floor(nowMs / dayMs);
  switch (period) {
    case "day":
      return day * dayMs;
    case "week":
      return (day - ((day + daysAfterMonday) % 7)) * dayMs;
    case "month":
      return (day - dayOfMonth(day)) * dayMs;
  }
}

/** When the period that began then is over. */
export function periodEndMs(period: Period, startMs: number): number {
  if (period === "month") return periodStartMs("month", startMs + monthDaysMax * dayMs);
  return startMs + (period === "week" ? 7 : 1) * dayMs;
}

/** From 0. Of a Gregorian calendar whose years begin in March, so that the leap day is the last of its year. */
function dayOfMonth(daysSince1970: number): number {
  const day = (daysSince1970 + 719_468) % 146_097;
  const year = Math.floor(
    (day - Math.floor(day / 1_460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365,
  );
  const ofYear = day - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const month = Math.floor((5 * ofYear + 2) / 153);
  return ofYear - Math.floor((153 * month + 2) / 5);
}
