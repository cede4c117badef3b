import { describe, expect, it } from "vitest";
import { median, percentile, rounded } from "../../../scripts/bench/figures.ts";

describe("figures of a bench", () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
  ])("the median of %j is %d", (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it.each([
    [50, 50],
    [99, 99],
    [99.5, 100],
    [100, 100],
    [0, 1],
  ])("the %d-th percentile of 1 to 100 is %d: the least that so many don't exceed", (percent, expected) => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(values, percent)).toBe(expected);
  });

  it("sorts numbers as numbers", () => {
    expect(percentile([10, 9, 100], 50)).toBe(10);
  });

  it("of nothing are no numbers", () => {
    expect(percentile([], 99)).toBeNaN();
    expect(median([])).toBeNaN();
  });

  it("have three places", () => {
    expect(rounded(0.123_456)).toBe(0.123);
    expect(rounded(2)).toBe(2);
  });
});
