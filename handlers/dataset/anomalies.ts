import { robustScale } from "./robust-scale.ts";
import type { DatasetRules } from "./rules.ts";
import type { Finding } from "./text-file.ts";

type Declared = NonNullable<DatasetRules["quality"]["anomalies"]>[number];

/** Numbers beyond the declared bounds, or too far from the file's own median. Goes through them again and again. */
export function anomalyFindings(
  { column, maxRobustZ, lower, upper, maxFraction }: Declared,
  numbers: () => Iterable<Float64Array>,
): Finding[] {
  const { centre, spread } = maxRobustZ === undefined ? { centre: 0, spread: 0 } : robustScale(numbers);
  const reach = (maxRobustZ ?? 0) * spread;
  const least = Math.max(
    lower ?? Number.NEGATIVE_INFINITY,
    maxRobustZ ? centre - reach : Number.NEGATIVE_INFINITY,
  );
  const most = Math.min(
    upper ?? Number.POSITIVE_INFINITY,
    maxRobustZ ? centre + reach : Number.POSITIVE_INFINITY,
  );
  let count = 0;
  let all = 0;
  for (const block of numbers()) {
    for (const value of block) if (value < least || value > most) count++;
    all += block.length;
  }
  if (count === 0 || count / all <= maxFraction) return [];
  const message = `${count} values of "${column}" are anomalies`;
  return [
    {
      check: "anomalies",
      code: "anomalies",
      column,
      message,
      count,
      fraction: count / all,
      limit: maxFraction,
    },
  ];
}
