import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BucketCounts, halvesOf, NEIGHBOURS } from "../../../handlers/dataset/bucket-counts.ts";
import { NO_BUCKET, numberSketch, textSketch } from "../../../handlers/dataset/sketch.ts";

/** Every so often more than are kept. */
const buckets = (arbitrary: fc.Arbitrary<number>) => fc.array(arbitrary, { maxLength: 4000, size: "max" });

describe("counts of buckets", () => {
  it("are, folded as they come, what all of them are when they are folded at the end", () => {
    fc.assert(
      fc.property(buckets(fc.integer({ min: -1_500_000, max: 1_500_000 })), (all) => {
        const counts = new BucketCounts(NEIGHBOURS);
        counts.add(Int32Array.from(all));
        const whole = numberSketch(
          all.map((one) => [one, 1] as const),
          0,
          0,
        );
        expect(numberSketch(counts.buckets(), 0, counts.folds)).toEqual(whole);
      }),
      { numRuns: 50 },
    );
    fc.assert(
      fc.property(buckets(fc.nat(65_535)), (all) => {
        const counts = new BucketCounts(halvesOf(16));
        for (let at = 0; at < all.length; at += 1000) counts.add(Int32Array.from(all.slice(at, at + 1000)));
        const whole = textSketch(
          all.map((one) => [one, 1] as const),
          0,
          16,
        );
        expect(textSketch(counts.buckets(), 0, 16 - counts.folds)).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  it("leave out rows without one", () => {
    const counts = new BucketCounts(NEIGHBOURS);
    counts.add(Int32Array.of(7, NO_BUCKET, NO_BUCKET + 65_535, 7));
    expect(counts.buckets()).toEqual([[7, 2]]);
  });
});
