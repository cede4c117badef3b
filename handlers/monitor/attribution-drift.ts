/**
 * Normalised discounted cumulative gain of the ranking that the live attributions give, with the baseline's attributions as gains:
 * 1 where both rank alike (https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-feature-attribution-drift.html).
 * Both are means of absolute attributions by column; a column that one of them lacks counts 0 there. Undefined where the baseline
 * attributes nothing.
 */
export function attributionNdcg(
  baseline: Readonly<Record<string, number>>,
  live: Readonly<Record<string, number>>,
): number | undefined {
  const columns = [...new Set([...Object.keys(baseline), ...Object.keys(live)])].sort();
  const gain = (column: string) => baseline[column] ?? 0;
  const ideal = discounted([...columns].sort((a, b) => gain(b) - gain(a)).map(gain));
  if (ideal === 0) return undefined;
  return discounted([...columns].sort((a, b) => (live[b] ?? 0) - (live[a] ?? 0)).map(gain)) / ideal;
}

const discounted = (gains: readonly number[]): number =>
  gains.reduce((sum, gain, rank) => sum + gain / Math.log2(rank + 2), 0);

/** Means of absolute attributions, as predictions come by. */
export class AttributionMeans {
  readonly #sums = new Map<string, number>();
  #count = 0;

  add(attributions: Readonly<Record<string, number>>): void {
    this.#count += 1;
    for (const [column, value] of Object.entries(attributions)) {
      this.#sums.set(column, (this.#sums.get(column) ?? 0) + Math.abs(value));
    }
  }

  get count(): number {
    return this.#count;
  }

  means(): Record<string, number> {
    return Object.fromEntries([...this.#sums].map(([column, sum]) => [column, sum / this.#count]));
  }
}
