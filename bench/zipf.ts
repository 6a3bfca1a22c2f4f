/** Draws a rank from 0 to `count - 1` by Zipf's law. `next` returns numbers from 0 to just below 1. */
export function zipf(count: number, skew: number): (next: () => number) => number {
  const sums: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= count; rank += 1) {
    sum += rank ** -skew;
    sums.push(sum);
  }
  return (next) => {
    const drawn = next() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < drawn) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
