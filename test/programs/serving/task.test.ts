import { describe, expect, it } from "vitest";
import { cpuUnits } from "../../../programs/serving/task.ts";

/** What Fargate sells, in GB (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html). */
const SOLD: Readonly<Record<number, readonly [least: number, most: number]>> = {
  512: [1, 4],
  1024: [2, 8],
  2048: [4, 16],
  4096: [8, 30],
};

describe("the processor of a task", () => {
  it("goes with every memory that a spec may name", () => {
    for (let gigabytes = 1; gigabytes <= 10; gigabytes++) {
      const [least, most] = SOLD[cpuUnits(gigabytes * 1024)] ?? [Number.NaN, Number.NaN];
      expect(gigabytes).toBeGreaterThanOrEqual(least);
      expect(gigabytes).toBeLessThanOrEqual(most);
    }
  });
});
