import { DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  mergeProfiles,
  type Profile,
  ProfileMismatch,
  parseProfile,
} from "../../../handlers/dataset/profile.ts";
import { profileKey } from "../../../handlers/dataset/profile-store.ts";
import { bucketOf, bucketStart, MAX_BUCKETS, type NumberSketch } from "../../../handlers/dataset/sketch.ts";
import type { DatasetColumn } from "../../../programs/spec.ts";
import {
  FLIGHT_COLUMNS,
  FLIGHTS,
  profileOf,
  profileOfHashes,
  profileOfNumbers,
} from "../support/profiles.ts";

const aColumn = (change: Partial<DatasetColumn>): DatasetColumn => ({
  name: "x",
  type: "string",
  nullable: true,
  ...change,
});

/** Numbers of every size; enough of them that buckets have to be folded. */
const numbers = fc.array(
  fc
    .tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.integer({ min: -12, max: 12 }))
    .map(([x, exponent]) => x * 10 ** exponent),
  { maxLength: 1500, size: "max" },
);
const hashes = fc.array(fc.nat(65_535), { maxLength: 1500, size: "max" });
const integers = fc.array(fc.option(fc.integer()), { maxLength: 300, size: "max" });

describe("profiles", () => {
  it.each([
    ["numbers", numbers, profileOfNumbers],
    ["whole numbers, some of them missing", integers, (values) => profileOfNumbers(values, true)],
    ["texts", hashes, profileOfHashes],
  ] as [string, fc.Arbitrary<number[]>, (values: number[]) => Profile][])(
    "of %s are the same, however the rows are divided and in whatever order they are merged",
    (_, values, profile) => {
      fc.assert(
        fc.property(values, values, values, (a, b, c) => {
          const whole = profile([...a, ...b, ...c]);
          expect(mergeProfiles(mergeProfiles(profile(a), profile(b)), profile(c))).toEqual(whole);
          expect(mergeProfiles(profile(a), mergeProfiles(profile(c), profile(b)))).toEqual(whole);
        }),
        { numRuns: 20 },
      );
    },
  );

  it("of three million flights are the same in one piece and in two", async () => {
    const part = (which: string) => profileOf(FLIGHT_COLUMNS, `'${FLIGHTS}' WHERE delay % 3 ${which} 0`);
    const whole = await profileOf(FLIGHT_COLUMNS, `'${FLIGHTS}'`);
    expect(mergeProfiles(await part("="), await part("<>"))).toEqual(whole);
    expect(whole.rows).toBe(3_000_000);
  });

  it("are at most 25 kB of JSON per column", async () => {
    const wide = `(SELECT CASE WHEN i % 2 = 0 THEN 1 ELSE -1 END * exp(i / 10000 - 50) AS x FROM range(1000000) t(i))`;
    const { columns } = await profileOf([aColumn({ type: "number" })], wide);
    expect((columns.x as NumberSketch).buckets.length).toBeLessThanOrEqual(MAX_BUCKETS);
    expect((columns.x as NumberSketch).buckets.length).toBeGreaterThan(MAX_BUCKETS / 2);
    expect(JSON.stringify(columns.x).length).toBeLessThan(25_000);
    const texts = await profileOf([aColumn({})], "(SELECT md5(i::VARCHAR) AS x FROM range(1000000) t(i))");
    expect(texts.columns.x).toMatchObject({ bits: 10 });
    expect(JSON.stringify(texts.columns.x).length).toBeLessThan(25_000);
  });

  it("count numbers in the buckets that have them", async () => {
    const values = [0, -0, 1, -1, 0.1, 1e-9, 1e-7, -3.75, 12345.678, -1e300, 1e300, 2047, 2046];
    const { columns } = await profileOf(
      [aColumn({ type: "number" })],
      `(VALUES ${values.map((value) => `(${value}::DOUBLE)`)}) t(x)`,
    );
    expect(columns).toEqual(profileOfNumbers(values).columns);
    const whole = [0, 1, -1, 2047, -2047, 2048, -2048, 123_456_789, -9_007_199_254_740_991];
    const counted = await profileOf(
      [aColumn({ type: "integer" })],
      `(VALUES ${whole.map((n) => `(${n}::BIGINT)`)}) t(x)`,
    );
    const buckets = whole.map((n) => [bucketOf(n, 0), 1]).sort(([a = 0], [b = 0]) => a - b);
    expect(counted.columns.x).toEqual({ kind: "numbers", missing: 0, level: 0, buckets });
  });

  it("count as missing what has no value and what has no bucket", async () => {
    const odd = "(VALUES (NULL::DOUBLE), ('NaN'), ('inf'), ('-inf'), (1.7e308), (1)) t(x)";
    expect((await profileOf([aColumn({ type: "number" })], odd)).columns.x).toMatchObject({ missing: 5 });
    const texts = "(VALUES (NULL), (''), ('a')) t(x)";
    expect((await profileOf([aColumn({})], texts)).columns.x).toMatchObject({ missing: 1 });
    expect((await profileOf([aColumn({})], "(SELECT '' AS x LIMIT 0)")).columns.x).toMatchObject({
      missing: 0,
    });
  });

  it("count declared values and booleans by name, and no other text", async () => {
    const texts = "(VALUES ('Adelie'), ('Adelie'), ('O''Neil'), ('secret'), (NULL)) t(x)";
    const declared = aColumn({ enum: ["Gentoo", "Adelie", "O'Neil"] });
    expect(await profileOf([declared], texts)).toEqual({
      version: 1,
      rows: 5,
      columns: { x: { kind: "values", missing: 2, counts: { Adelie: 2, "O'Neil": 1 } } },
    });
    const booleans = "(VALUES (true), (false), (true), (NULL)) t(x)";
    expect((await profileOf([aColumn({ type: "boolean" })], booleans)).columns.x).toEqual({
      kind: "values",
      missing: 1,
      counts: { true: 2, false: 1 },
    });
    expect(JSON.stringify(await profileOf([aColumn({})], texts))).not.toMatch(/Adelie|secret/);
  });

  it("count the empty text by name too, and by hashes where a declared value has what no statement can name", async () => {
    const from = "(VALUES (''), ('a'), (NULL)) t(x)";
    expect((await profileOf([aColumn({ enum: ["", "a"] })], from)).columns.x).toEqual({
      kind: "values",
      missing: 1,
      counts: { "": 1, a: 1 },
    });
    expect((await profileOf([aColumn({ enum: ["\0", "a"] })], from)).columns.x).toMatchObject({
      kind: "texts",
    });
  });

  it("are made of as many columns as a data set may have", async () => {
    const columns = Array.from({ length: 1000 }, (_, i) => aColumn({ name: `v${i}`, type: "integer" }));
    const values = columns.map(({ name }, i) => `${i} AS ${name}`);
    const profile = await profileOf(columns, `(SELECT ${values})`);
    expect(Object.keys(profile.columns)).toHaveLength(1000);
    expect(profile.columns.v999).toEqual(profileOfNumbers([999], true).columns.x);
  });

  it("hold nothing of dates and timestamps", async () => {
    const columns = [aColumn({ name: "d", type: "date" }), aColumn({ name: "t", type: "timestamp" })];
    const from = "(VALUES (DATE '2026-01-01', now())) t(d, t)";
    expect((await profileOf(columns, from)).columns).toEqual({ d: { kind: "none" }, t: { kind: "none" } });
  });

  it("keep a column that only one of both has, by whatever name", () => {
    const named = JSON.parse('{"version":1,"rows":0,"columns":{"__proto__":{"kind":"none"}}}') as Profile;
    const merged = mergeProfiles(named, profileOfNumbers([1]));
    expect(Object.keys(merged.columns).sort()).toEqual(["__proto__", "x"]);
  });

  it("of different kinds can't be merged", () => {
    expect(() => mergeProfiles(profileOfNumbers([1]), profileOfHashes([1]))).toThrow(ProfileMismatch);
  });

  it("of objects have keys of their own that S3 has room for", () => {
    const key = `data/${"x".repeat(1019)}`;
    expect(Buffer.byteLength(profileKey({ key, versionId: "v".repeat(1024) }))).toBeLessThan(100);
    expect(profileKey({ key: "data/a", versionId: "b" })).not.toBe(
      profileKey({ key: "data/ab", versionId: "" }),
    );
  });

  it("are read back from JSON, and nothing else is", () => {
    const profile = profileOfNumbers([1, 2, null]);
    expect(parseProfile(JSON.parse(JSON.stringify(profile)))).toEqual(profile);
    expect(parseProfile({ ...profile, version: 2 })).toBeUndefined();
    expect(parseProfile({ ...profile, columns: { x: { kind: "numbers" } } })).toBeUndefined();
    expect(parseProfile(null)).toBeUndefined();
  });
});

describe("buckets", () => {
  const size = fc
    .tuple(fc.double({ min: 1, max: 10, noNaN: true }), fc.integer({ min: -5, max: 300 }))
    .map(([x, exponent]) => x * 10 ** exponent);

  it("begin at most one step of rounding above the numbers that they have", () => {
    fc.assert(
      fc.property(size, fc.boolean(), fc.integer({ min: 0, max: 8 }), (magnitude, negative, level) => {
        const value = negative ? -magnitude : magnitude;
        const index = bucketOf(value, level);
        const slack = magnitude * 1e-11;
        expect(bucketStart(index, level)).toBeLessThanOrEqual(value + slack);
        expect(bucketStart(index + 1, level)).toBeGreaterThan(value - slack);
      }),
    );
  });

  it("know a number to within the share that its level promises", () => {
    fc.assert(
      fc.property(size, fc.integer({ min: 0, max: 8 }), (value, level) => {
        const index = bucketOf(value, level);
        const [start, end] = [bucketStart(index, level), bucketStart(index + 1, level)];
        expect((end - start) / 2 / value).toBeLessThan(0.0003 * 2 ** level);
      }),
    );
  });

  it("have one whole number each up to 2,047", () => {
    const found = new Set(Array.from({ length: 4095 }, (_, i) => bucketOf(i - 2047, 0)));
    expect(found.size).toBe(4095);
  });

  it("fold in pairs", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e9, max: 1e9, noNaN: true }),
        fc.integer({ min: 0, max: 8 }),
        (value, level) => {
          expect(bucketOf(value, level)).toBe(Math.floor(bucketOf(value, 0) / 2 ** level));
        },
      ),
    );
  });

  it("refuse what is in none", () => {
    expect(() => bucketOf(Number.NaN, 0)).toThrow(RangeError);
    expect(() => bucketOf(1.7e308, 0)).toThrow(RangeError);
  });
});

describe("DuckDB's hash", () => {
  it("is the one that stored profiles were made with", async () => {
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    const texts = ["", "Gentoo", "a text of more than twelve bytes", "ünïcödé"];
    const answer = await connection.runAndReadAll(
      `SELECT ${texts.map((text) => `hash('${text}')::VARCHAR`).join(", ")}`,
    );
    connection.closeSync();
    instance.closeSync();
    expect(answer.getRows()[0]).toMatchInlineSnapshot(`
      [
        "5104928228550385088",
        "17501781518880198795",
        "17041401554102627976",
        "10064635058715999676",
      ]
    `);
  });
});
