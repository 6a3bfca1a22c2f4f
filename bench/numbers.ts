/** The median. */
export function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}

/** The nearest-rank percentile of sorted values. `part` is from 0 to 1. */
export function percentile(sorted: number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

/** A number with three significant digits. */
export function short(number: number | undefined): string {
  if (number === undefined || !Number.isFinite(number)) return "–";
  if (number >= 100) return Math.round(number).toLocaleString("en");
  if (number >= 10) return number.toFixed(1);
  return number >= 1 ? number.toFixed(2) : number.toPrecision(2);
}

/** A number of bytes in a suitable unit. */
export function bytes(number: number | undefined): string {
  if (number === undefined) return "–";
  if (number >= 1e9) return `${short(number / 1e9)} GB`;
  if (number >= 1e6) return `${short(number / 1e6)} MB`;
  return number >= 1000 ? `${short(number / 1000)} KB` : `${Math.round(number)} B`;
}
