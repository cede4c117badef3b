import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AcceptedObject,
  type BaselineDocument,
  GENERATION_OBJECTS,
  nextBaseline,
  profileOfBaseline,
} from "../../../handlers/dataset/baseline-document.ts";
import { mergeProfiles } from "../../../handlers/dataset/profile.ts";
import { profileOfHashes, profileOfNumbers } from "../support/profiles.ts";

/** The nth accepted object, a second after the one before, with n as its only value. */
const object = (n: number, change: Partial<AcceptedObject> = {}): AcceptedObject => ({
  key: `data/${n}.csv`,
  versionId: `v${n}`,
  at: new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString(),
  profile: profileOfNumbers([n], true),
  ...change,
});

const objects = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => object(from + i));
const names = ({ generations }: BaselineDocument) =>
  generations.flatMap((g) => g.objects.map(({ key }) => key));

describe("the baseline", () => {
  it("has each object once, however often and in whatever batches it is delivered", () => {
    const deliveries = fc.array(fc.array(fc.nat(12), { maxLength: 8 }), { maxLength: 8 });
    fc.assert(
      fc.property(deliveries, (batches) => {
        const delivered = [...new Set(batches.flat())].sort((a, b) => a - b);
        let baseline: BaselineDocument | undefined;
        for (const batch of batches) {
          const before = baseline;
          baseline =
            nextBaseline(
              baseline,
              batch.map((n) => object(n)),
            ) ?? baseline;
          expect((baseline?.number ?? 0) - (before?.number ?? 0)).toBeLessThanOrEqual(1);
        }
        if (baseline === undefined) {
          expect(delivered).toEqual([]);
          return;
        }
        expect(names(baseline).sort()).toEqual(delivered.map((n) => `data/${n}.csv`).sort());
        expect(profileOfBaseline(baseline)).toEqual(profileOfNumbers(delivered, true));
      }),
    );
  });

  it("stays as it is when all objects are known", () => {
    const baseline = nextBaseline(undefined, objects(0, 3));
    expect(nextBaseline(baseline, objects(0, 3))).toBeUndefined();
    expect(nextBaseline(baseline, [])).toBeUndefined();
  });

  it("takes another version of an object as another object", () => {
    const baseline = nextBaseline(undefined, [object(1), object(1, { versionId: "other" })]);
    expect(profileOfBaseline(baseline!).rows).toBe(2);
  });

  it("covers the last two generations, and lets no older object in again", () => {
    const all = objects(0, 2 * GENERATION_OBJECTS + 1);
    const baseline = nextBaseline(nextBaseline(undefined, all.slice(0, 1500)), all.slice(1500))!;
    expect(names(baseline)).toEqual(all.slice(GENERATION_OBJECTS).map(({ key }) => key));
    expect(profileOfBaseline(baseline).rows).toBe(GENERATION_OBJECTS + 1);
    expect(nextBaseline(baseline, all)).toBeUndefined();
    expect(
      nextBaseline(baseline, objects(2 * GENERATION_OBJECTS + 1, 2 * GENERATION_OBJECTS + 2))?.number,
    ).toBe(3);
  });

  it("takes an object that comes late, as long as none of its time was let go", () => {
    const baseline = nextBaseline(undefined, objects(1, GENERATION_OBJECTS + 100));
    const next = nextBaseline(baseline, [object(0)])!;
    expect(next.generations[1]!.objects.at(-1)!.key).toBe("data/0.csv");
  });

  it("begins anew with a column whose schema has changed, and keeps the others", () => {
    const both = (n: number, x: AcceptedObject["profile"]) =>
      object(n, { profile: { ...x, columns: { ...x.columns, y: profileOfNumbers([n], true).columns.x! } } });
    const baseline = nextBaseline(undefined, [
      both(1, profileOfNumbers([1])),
      both(2, profileOfHashes([5])),
    ])!;
    const { columns } = profileOfBaseline(baseline);
    expect(columns.x).toEqual(profileOfHashes([5]).columns.x);
    expect(columns.y).toEqual(
      mergeProfiles(profileOfNumbers([1], true), profileOfNumbers([2], true)).columns.x,
    );
  });
});
