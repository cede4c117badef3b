const firstMs = 5_000;
const factor = 4;
const longestMs = 12 * 3600_000;
const jitter = 0.2;

/**
 * How long to wait after so many attempts: 5 s, 20 s, 80 s … at most 12 hours, each a fifth more or less, so that what failed together
 * isn't tried again together. `random` is from 0 to 1.
 */
export function backoffMs(attempts: number, random: number): number {
  const delay = Math.min(firstMs * factor ** (attempts - 1), longestMs);
  return Math.round(delay * (1 - jitter + 2 * jitter * random));
}
