/** The middle value, or the mean of the two middle ones; NaN of none. */
export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** 0.75-quantile of the standard normal distribution: by it a median deviation is put on the scale of a standard deviation. */
const NORMAL_QUARTILE = 0.6744897501960817;

/** Median absolute deviation from the median, as `scipy.stats.median_abs_deviation(…, scale="normal")` (Hampel 1974). */
export function medianAbsoluteDeviation(values: ArrayLike<number>): number {
  const center = median(values);
  return median(Float64Array.from(values, (value) => Math.abs(value - center))) / NORMAL_QUARTILE;
}

/**
 * How far a value is from the middle of all, in robust standard deviations (Iglewicz, Hoaglin: "How to Detect and Handle
 * Outliers", 1993, who advise a limit of 3.5). Where more than half of all values are equal the deviation is 0: that value has the score
 * 0, others have an infinite one.
 */
export function robustScore(value: number, center: number, deviation: number): number {
  const distance = value - center;
  return distance === 0 ? 0 : distance / deviation;
}
