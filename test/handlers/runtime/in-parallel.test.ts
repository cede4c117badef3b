import { expect, it } from "vitest";
import { inParallel } from "../../../handlers/runtime/in-parallel.ts";

it("answers in the items' order and never works on more than its limit", async () => {
  let atOnce = 0;
  let most = 0;
  const results = await inParallel([5, 1, 4, 2, 3, 0], 3, async (turns) => {
    most = Math.max(most, ++atOnce);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    atOnce--;
    return turns * 10;
  });
  expect(results).toEqual([50, 10, 40, 20, 30, 0]);
  expect(most).toBe(3);
});

it("fails with the first failure", async () => {
  const work = async (item: number) => {
    if (item === 2) throw new Error("the second");
    return item;
  };
  await expect(inParallel([1, 2, 3], 2, work)).rejects.toThrow("the second");
});

it("does nothing for no items", async () => {
  expect(await inParallel([], 4, async () => 1)).toEqual([]);
});
