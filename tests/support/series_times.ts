// Computes the times of the points of a series, with the calendar of JavaScript.
import assert from "node:assert/strict";

const MAX_POINTS = 1_000;
const HOUR = 3_600_000;
const LENGTHS: Record<string, number> = { hour: HOUR, day: 24 * HOUR, week: 168 * HOUR };

/** The time that is a number of steps after a time. A month after January 31 is the end of February. */
function stepsAfter(start: number, step: string, count: number): number {
  const length = LENGTHS[step];
  if (length !== undefined) return start + count * length;
  const date = new Date(start);
  const month = new Date(start);
  month.setUTCDate(1);
  month.setUTCMonth(date.getUTCMonth() + count);
  const lastDay = new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1, 0));
  month.setUTCDate(Math.min(date.getUTCDate(), lastDay.getUTCDate()));
  return month.getTime();
}

/** The times from `from`, after each step, and at `to`, which all tests set. */
export function seriesTimes(
  defaultTo: string,
  { from, to = defaultTo, step = "day" }: Record<string, string>,
): number[] {
  const end = Date.parse(to);
  const start = from === undefined ? stepsAfter(end, step, -30) : Date.parse(from);
  const times = [];
  for (let count = 0; ; count += 1) {
    const time = stepsAfter(start, step, count);
    if (time >= end) break;
    times.push(time);
  }
  assert.ok(times.length < MAX_POINTS, "the series has too many points");
  return [...times, end];
}
