import { expect, it } from "vitest";
import { Gathered } from "../../../src/postgres/gathered.ts";

/** Statements that end when the test says so. */
function statements() {
  const begun: {
    keys: readonly string[];
    end: (found?: Record<string, number>) => void;
    fail: () => void;
  }[] = [];
  const gathered = new Gathered<number>((keys) => {
    const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<string, number>>();
    begun.push({
      keys,
      end: (found = {}) => resolve(new Map(Object.entries(found))),
      fail: () => reject(new Error(`${keys} failed`)),
    });
    return promise;
  });
  return { begun, gathered };
}

it("asks at once while little is under way", async () => {
  const { begun, gathered } = statements();
  const answer = gathered.find("a");
  expect(begun.map(({ keys }) => keys)).toEqual([["a"]]);
  begun[0]!.end({ a: 1 });
  expect(await answer).toBe(1);
});

it("asks for what comes meanwhile together, for each key once, and gives everybody their own", async () => {
  const { begun, gathered } = statements();
  const first = ["a", "b", "c", "d"].map((key) => gathered.find(key));
  const later = ["a", "e", "a", "none"].map((key) => gathered.find(key));
  expect(begun.map(({ keys }) => keys)).toEqual([["a"], ["b"], ["c"], ["d"]]);
  begun[1]!.end({ b: 2 });
  expect(await first[1]).toBe(2);
  expect(begun[4]!.keys).toEqual(["a", "e", "none"]);
  begun[4]!.end({ a: 10, e: 5 });
  expect(await Promise.all(later)).toEqual([10, 5, 10, undefined]);
  begun[0]!.end({ a: 1 });
  expect(await first[0]).toBe(1);
});

it("answers nobody by a statement that began before they asked", async () => {
  const { begun, gathered } = statements();
  const before = gathered.find("key");
  const after = gathered.find("key");
  begun[0]!.end({ key: 1 });
  expect(await before).toBe(1);
  begun[1]!.end({});
  expect(await after).toBeUndefined();
});

it("tells a failure to those who waited for that statement, and goes on for the others", async () => {
  const { begun, gathered } = statements();
  const first = ["a", "b", "c", "d"].map((key) => gathered.find(key));
  const later = gathered.find("e");
  begun[0]!.fail();
  await expect(first[0]).rejects.toThrow("a failed");
  begun[4]!.end({ e: 5 });
  expect(await later).toBe(5);
  for (const statement of begun) statement.end({});
  expect(await Promise.all(first.slice(1))).toEqual([undefined, undefined, undefined]);
});
