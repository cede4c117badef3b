import { lnGamma } from "./gamma.ts";

/**
 * How likely Kolmogorov's statistic of n values is to be at least d, as `scipy.stats.kstwo.sf`: to 10⁻⁹, and to 10⁻⁸ for more than
 * 100,000 values. Which method is good where is from Simard, L'Ecuyer: "Computing the Two-Sided Kolmogorov-Smirnov
 * Distribution", J. Stat. Software 39 (11), 2011.
 */
export function kolmogorovSurvival(d: number, n: number): number {
  const nd = n * d;
  const ndd = nd * d;
  if (nd <= 0.5) return 1;
  if (d >= 1) return 0;
  if (n > LARGE) return ndd >= 18 ? 2 * Math.exp(-2 * ndd) : 1 - pelzGood(d, n);
  if (d >= 0.5 || nd >= n - 1 || ndd >= (n <= SMALL ? 4 : 2.2)) return 2 * oneSidedSurvival(d, n);
  return n <= SMALL || n * d ** 1.5 <= 1.4 ? 1 - durbin(d, n) : 1 - pelzGood(d, n);
}

const SMALL = 140;
const LARGE = 100_000;

/** Smirnov's one-sided distribution (Birnbaum, Tingey 1951), half of the two-sided one where both sides can't be exceeded together. */
function oneSidedSurvival(d: number, n: number): number {
  let sum = 0;
  const lnFactorial = lnGamma(n + 1);
  for (let j = 0; j <= Math.floor(n * (1 - d)); j++) {
    const rest = 1 - d - j / n;
    if (rest <= 0) continue;
    const lnWays = lnFactorial - lnGamma(j + 1) - lnGamma(n - j + 1);
    sum += Math.exp(lnWays + (j - 1) * Math.log(d + j / n) + (n - j) * Math.log(rest));
  }
  return d * sum;
}

type Matrix = readonly Float64Array[];

/** Durbin's matrix formula for P(D < d) (Marsaglia, Tsang, Wang: "Evaluating Kolmogorov's Distribution", J. Stat. Software 8, 2003). */
function durbin(d: number, n: number): number {
  const k = Math.ceil(n * d);
  const size = 2 * k - 1;
  const h = k - n * d;
  const power = matrixPower(durbinMatrix(size, h), n);
  const middle = power.matrix[k - 1]?.[k - 1] ?? 0;
  return middle === 0 ? 0 : Math.exp(Math.log(middle) + power.ln + lnGamma(n + 1) - n * Math.log(n));
}

function durbinMatrix(size: number, h: number): Matrix {
  return Array.from({ length: size }, (_, i) =>
    Float64Array.from({ length: size }, (_, j) => {
      const below = i - j + 1;
      if (below < 0) return 0;
      let entry = 1;
      if (j === 0) entry -= h ** (i + 1);
      if (i === size - 1) entry -= h ** (size - j);
      if (j === 0 && i === size - 1) entry += Math.max(0, 2 * h - 1) ** size;
      return entry / Math.exp(lnGamma(below + 1));
    }),
  );
}

/** By squaring, with the magnitude kept apart: it would leave the range of numbers. */
function matrixPower(base: Matrix, exponent: number): { readonly matrix: Matrix; readonly ln: number } {
  if (exponent === 1) return { matrix: base, ln: 0 };
  const half = matrixPower(base, Math.floor(exponent / 2));
  const square = product(half.matrix, half.matrix);
  const matrix = exponent % 2 === 0 ? square : product(square, base);
  const scale = Math.max(...matrix.map((row) => Math.max(...row)));
  return {
    matrix: matrix.map((row) => row.map((entry) => entry / scale)),
    ln: 2 * half.ln + Math.log(scale),
  };
}

function product(left: Matrix, right: Matrix): Matrix {
  return left.map((row) => {
    const result = new Float64Array(row.length);
    for (const [k, factor] of row.entries()) {
      if (factor === 0) continue;
      for (const [j, entry] of right[k]?.entries() ?? []) result[j] = (result[j] ?? 0) + factor * entry;
    }
    return result;
  });
}

/**
 * The limit of P(D ≤ d) and its first three corrections in powers of 1/√n (Pelz, Good: "Approximating the Lower Tail-Areas of the
 * Kolmogorov-Smirnov One-Sample Statistic", J. Royal Stat. Society B 38, 1976).
 */
function pelzGood(d: number, n: number): number {
  const z = Math.sqrt(n) * d;
  const [z2, z4, z6, z8] = [z ** 2, z ** 4, z ** 6, z ** 8];
  const [p2, p4, p6] = [Math.PI ** 2, Math.PI ** 4, Math.PI ** 6];
  const k: [number, number, number, number] = [0, 0, 0, 0];
  const terms = Math.ceil((16 * z) / Math.PI) + 1;
  for (let i = terms; i > 0; i--) {
    const odd = (2 * i - 1) ** 2;
    const weight = Math.exp((-p2 * odd) / (8 * z2));
    k[0] += weight;
    k[1] += weight * (-z2 + (p2 / 4) * odd);
    k[2] +=
      weight * (6 * z6 + 2 * z4 + ((2 * z4 - 5 * z2) * p2 * odd) / 4 + (p4 * (1 - 2 * z2) * odd ** 2) / 16);
    k[3] +=
      weight *
      (-30 * z6 -
        90 * z8 +
        (p2 * (135 * z4 - 96 * z6) * odd) / 4 +
        (p4 * (212 * z4 - 60 * z2) * odd ** 2) / 16 +
        (p6 * (5 - 30 * z2) * odd ** 3) / 64);
  }
  let [even2, even3] = [0, 0];
  for (let i = terms; i > 0; i--) {
    const weight = Math.exp((-p2 * i ** 2) / (2 * z2)) * i ** 2;
    even2 += weight;
    even3 += weight * (3 * z2 - p2 * i ** 2);
  }
  const root = Math.sqrt(2 * Math.PI);
  return (
    root *
    (k[0] / z +
      k[1] / (6 * z4 * n ** 0.5) +
      (k[2] / (72 * z ** 7) - (even2 * p2) / (36 * z ** 3)) / n +
      (k[3] / (6480 * z ** 10) + (even3 * p2) / (216 * z6)) / n ** 1.5)
  );
}
