import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { median, robustScale } from "../../../handlers/dataset/robust-scale.ts";
import { DuplicateCounter } from "../../../handlers/dataset/row-hashes.ts";
import { Spill } from "../../../handlers/dataset/spill.ts";

const folder = mkdtempSync(join(tmpdir(), "spill-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a spill", () => {
  it("gives back what was appended, in order and as often as it is asked, and leaves no file", () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 30 });
    fc.assert(
      fc.property(pieces, (appended) => {
        const spill = new Spill(join(folder, "any"), 64);
        for (const piece of appended) spill.append(piece);
        const whole = Buffer.concat(appended);
        for (let time = 0; time < 2; time++) {
          // Each block is good until the next one is asked for.
          const read = Buffer.concat(Array.from(spill.blocks(48), (block) => Buffer.from(block)));
          expect(read.equals(whole)).toBe(true);
        }
        expect(spill.bytes).toBe(whole.length);
        spill.close();
      }),
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("duplicates by hashes", () => {
  it("are counted as a set does, also when they don't fit into memory", () => {
    const counter = new DuplicateCounter(folder, "many");
    const rows = 600_000;
    const first = new BigUint64Array(rows);
    const second = new BigUint64Array(rows);
    for (let row = 0; row < rows; row++) {
      const value = BigInt(row % 450_000);
      first[row] = BigInt.asUintN(64, value * 0x9e3779b97f4a7c15n);
      second[row] = value << 1n;
    }
    counter.add(first.subarray(0, 1000), second.subarray(0, 1000));
    counter.add(first.subarray(1000), second.subarray(1000));
    expect(readdirSync(folder).length).toBeGreaterThan(0);
    expect(counter.duplicates()).toBe(150_000);
    counter.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("are none where only one of the two hashes is equal", () => {
    const counter = new DuplicateCounter(folder, "halves");
    counter.add(BigUint64Array.of(1n, 1n, 2n), BigUint64Array.of(2n, 4n, 2n));
    expect(counter.duplicates()).toBe(0);
    counter.close();
  });
});

describe("the median", () => {
  const sorted = (values: readonly number[]) => values.toSorted((one, other) => one - other);

  it("is the middle value, or half-way between two", () => {
    const numbers = fc.array(fc.double({ noNaN: true, min: -1e300, max: 1e300 }), {
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(numbers, (values) => {
        const middle = values.length / 2;
        const [low, high] = [sorted(values)[Math.ceil(middle) - 1]!, sorted(values)[Math.floor(middle)]!];
        const expected = values.length % 2 === 1 ? low : (low + high) / 2;
        expect(median(() => [Float64Array.from(values)]) + 0).toBe(expected + 0);
      }),
    );
  });

  it("of deviations is the spread, and their mean where half of the values are equal", () => {
    // Iglewicz and Hoaglin's scales: 1.4826 times the median, 1.2533 times the mean absolute deviation.
    expect(robustScale(() => [Float64Array.of(1, 2, 3, 4, 100)])).toEqual({ centre: 3, spread: 1.4826 });
    const { centre, spread } = robustScale(() => [Float64Array.of(5, 5, 5, 9)]);
    expect([centre, spread]).toEqual([5, 1.2533]);
  });
});
