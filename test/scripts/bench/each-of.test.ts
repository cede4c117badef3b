import { expect, it } from "vitest";
import { eachOf } from "../../../scripts/bench/fleet/each-of.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

it("does the work for each item once, and for no more of them at the same time than it may", async () => {
  const done: number[] = [];
  let running = 0;
  let most = 0;
  await eachOf([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await turn();
    running -= 1;
    done.push(item);
  });
  expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(most).toBe(3);
});

it("rejects with what went wrong, but not while anything is still under way", async () => {
  let running = 0;
  const work = eachOf([1, 2, 3], 2, async (item) => {
    running += 1;
    if (item !== 1) await turn();
    running -= 1;
    if (item === 1) throw new Error("the first one");
  });
  await expect(work).rejects.toThrow("the first one");
  expect(running).toBe(0);
});
