import { readFileSync } from "node:fs";
import { Value } from "typebox/value";
import { describe, expect, it } from "vitest";
import { datasetRules, schemaDigest } from "../../../handlers/dataset/rules.ts";
import { validateData } from "../../../handlers/dataset/validate-data.ts";
import { Verdict } from "../../../handlers/dataset/verdict.ts";
import { exampleSpecs } from "../../../scripts/programs/example-specs.ts";
import { aColumn, fileValidation, rulesOf } from "../support/validated-files.ts";

const { folder, validate } = fileValidation(new Date("2026-02-01T00:00:00Z"));

const csv = (...values: readonly (string | number)[]) => `a\n${values.join("\n")}\n`;
const reasonsOf = async (...args: Parameters<typeof validate>) => (await validate(...args)).verdict.reasons;
const codesOf = async (...args: Parameters<typeof validate>) =>
  (await reasonsOf(...args)).map(({ code }) => code);

describe("ranges, lists and patterns", () => {
  it("a minimum and a maximum are accepted themselves", async () => {
    const rules = rulesOf("csv", [aColumn({ type: "number", min: 1, max: 2.5 })]);
    expect(await codesOf(csv("1", "2.5", ""), rules)).toEqual([]);
    expect(await reasonsOf(csv("0.999", "2.501", "7"), rules)).toMatchObject([
      { check: "range", code: "below_minimum", column: "a", count: 1, limit: 1, samples: ["0.999"] },
      { check: "range", code: "above_maximum", column: "a", count: 2, limit: 2.5, fraction: 2 / 3 },
    ]);
  });

  it("numbers of many digits are compared as the doubles that they are", async () => {
    for (const number of [0.21586800359241098, 0.0018913335342073678, 1e-320, 123456789012345.67]) {
      const text = csv(String(number));
      const bounded = aColumn({ type: "number", min: number, max: number });
      expect(await codesOf(text, rulesOf("csv", [bounded]))).toEqual([]);
      expect(await codesOf(text, rulesOf("csv", [aColumn({ type: "number", enum: [number] })]))).toEqual([]);
    }
  });

  it("moments have bounds of microseconds", async () => {
    const rules = rulesOf("csv", [aColumn({ type: "timestamp", max: "2026-01-02T00:00:00.123456Z" })]);
    expect(await codesOf(csv("2026-01-02T00:00:00.123456Z"), rules)).toEqual([]);
    expect(await codesOf(csv("2026-01-02T00:00:00.123457Z"), rules)).toEqual(["above_maximum"]);
  });

  it("dates and moments have bounds too, whatever the zone", async () => {
    const dates = rulesOf("csv", [aColumn({ type: "date", min: "2026-01-02", max: "2026-01-02" })]);
    expect(await codesOf(csv("2026-01-02"), dates)).toEqual([]);
    expect(await codesOf(csv("2026-01-01", "2026-01-03"), dates)).toEqual(["below_minimum", "above_maximum"]);
    const moments = rulesOf("csv", [aColumn({ type: "timestamp", min: "2026-01-02T00:00:00Z" })]);
    expect(await codesOf(csv("2026-01-02T02:00:00+02:00"), moments)).toEqual([]);
    expect(await codesOf(csv("2026-01-02T01:59:59+02:00"), moments)).toEqual(["below_minimum"]);
  });

  it("listed values are compared exactly", async () => {
    const rules = rulesOf("csv", [aColumn({ type: "string", enum: ["it's", "é"] })]);
    expect(await codesOf(csv("it's", "é"), rules)).toEqual([]);
    expect(await reasonsOf(csv("It's", " é", "e\u0301"), rules)).toMatchObject([
      { check: "enum", code: "not_listed", count: 3 },
    ]);
  });

  it("a pattern is for the whole value", async () => {
    const rules = rulesOf("csv", [aColumn({ type: "string", pattern: "[A-Z]{3}|'" })]);
    expect(await codesOf(csv("ABC", "'"), rules)).toEqual([]);
    expect(await reasonsOf(csv("ABCD", "xABC"), rules)).toMatchObject([{ code: "no_match", count: 2 }]);
  });
});

describe("nulls", () => {
  it("a column's own limit goes before the data set's, and is accepted itself", async () => {
    const [own, general] = [
      rulesOf("csv", [aColumn({ type: "string", maxNullFraction: 0.5 })], { maxNullFraction: 0 }),
      rulesOf("csv", [{ name: "a", type: "string", nullable: true }], { maxNullFraction: 0.25 }),
    ];
    expect(await codesOf(csv("", "x"), own)).toEqual([]);
    expect(await codesOf(csv("", "", "x"), own)).toEqual(["too_many_nulls"]);
    expect(await codesOf(csv("", "x", "x", "x"), general)).toEqual([]);
    expect(await codesOf(csv("", "x", "x"), general)).toEqual(["too_many_nulls"]);
  });

  it("none is accepted where a column is not nullable", async () => {
    const rules = rulesOf("csv", [{ name: "a", type: "string", nullable: false }]);
    expect(await reasonsOf(csv("x", ""), rules)).toMatchObject([
      { code: "null_not_allowed", count: 1, limit: 0 },
    ]);
  });

  it("NaN is one where a number is expected, and text elsewhere", async () => {
    const { verdict } = await validate(csv("NaN", "nan", "1"), rulesOf("csv", [aColumn({ type: "number" })]));
    expect(verdict).toMatchObject({ outcome: "accepted", nullFraction: 2 / 3 });
    const text = await validate(csv("NaN"), rulesOf("csv", [aColumn({ type: "string" })]));
    expect(text.verdict.nullFraction).toBe(0);
  });

  it("have a limit among all values where one is declared", async () => {
    const columns = [aColumn({ type: "string" }), aColumn({ name: "b", type: "string" })];
    const rules = rulesOf("csv", columns, { maxOverallNullFraction: 0.5 });
    expect(await codesOf("a,b\n,x\n", rules)).toEqual([]);
    expect(await codesOf("a,b\n,x\n,\n", rules)).toEqual(["too_many_nulls_overall"]);
  });
});

describe("duplicates", () => {
  const columns = [aColumn({ type: "number" }), aColumn({ name: "b", type: "string" })];
  const none = rulesOf("csv", columns, { maxDuplicateFraction: 0 });

  it("are rows that are equal in every value, however it is written", async () => {
    expect(await reasonsOf('a,b\n1,x\n1.0,"x"\n1,y\n', none)).toMatchObject([
      { check: "duplicates", code: "duplicate_rows", count: 1, fraction: 1 / 3, limit: 0 },
    ]);
  });

  it("are none where one value differs, or stands in another column", async () => {
    const texts = [aColumn({ type: "string" }), aColumn({ name: "b", type: "string" })];
    const rules = rulesOf("csv", texts, { maxDuplicateFraction: 0 });
    expect(await codesOf("a,b\nx,y\ny,x\n,x\nx,\nx, \nxy,\n,xy\n", rules)).toEqual([]);
  });

  it("with nulls in the same places are some", async () => {
    expect(await codesOf("a,b\n,x\n,x\n", none)).toEqual(["duplicate_rows"]);
  });

  it("may be as many as the limit says, which no binary fraction can", async () => {
    for (const duplicates of [29, 57, 58]) {
      const quality = { maxDuplicateFraction: duplicates / 100 };
      const rules = rulesOf("csv", [aColumn({ type: "integer" })], quality);
      const rows = (count: number) =>
        csv(...Array.from({ length: 100 }, (_, i) => String(Math.min(i, 99 - count))));
      expect(await codesOf(rows(duplicates), rules)).toEqual([]);
      expect(await codesOf(rows(duplicates + 1), rules)).toEqual(["duplicate_rows"]);
    }
  });

  it("are found wherever parts of the file are cut", async () => {
    const rows = Array.from({ length: 5000 }, (_, i) => `${i % 4990},x${i % 4990}`);
    const { verdict } = await validate(`a,b\n${rows.join("\n")}`, none, { partBytes: 2048 });
    expect(verdict).toMatchObject({ rows: 5000, duplicateRows: 10 });
  });

  it("by a declared key are rejected where whole rows differ", async () => {
    const rules = rulesOf("csv", columns, { maxDuplicateFraction: 0 }, { keys: [["a"], ["a", "b"]] });
    expect(await reasonsOf("a,b\n1,x\n1,y\n2,x\n", rules)).toMatchObject([
      { check: "keys", code: "duplicate_keys", count: 1, message: "1 rows have the a of an earlier one" },
    ]);
  });
});

describe("volume and freshness", () => {
  it("the declared numbers of rows are accepted themselves", async () => {
    const rules = rulesOf("csv", [aColumn({ type: "string" })], { volume: { minRows: 2, maxRows: 3 } });
    expect(await codesOf(csv("1"), rules)).toEqual(["too_few_rows"]);
    expect(await codesOf(csv("1", "2"), rules)).toEqual([]);
    expect(await codesOf(csv("1", "2", "3"), rules)).toEqual([]);
    expect(await codesOf(csv("1", "2", "3", "4"), rules)).toEqual(["too_many_rows"]);
  });

  it("the newest value tells how old data is", async () => {
    const quality = { freshness: { column: "a", maxAgeHours: 24 } };
    const rules = rulesOf("csv", [aColumn({ type: "timestamp" })], quality);
    expect(await codesOf(csv("2020-01-01T00:00:00Z", "2026-01-31T00:00:00Z"), rules)).toEqual([]);
    expect(await reasonsOf(csv("2026-01-30T23:00:00Z"), rules)).toMatchObject([
      { code: "too_old", score: 25 },
    ]);
    expect(await codesOf("a\n\n", rules)).toEqual(["no_moment"]);
    const dates = rulesOf("csv", [aColumn({ type: "date" })], quality);
    expect(await codesOf(csv("2026-01-31"), dates)).toEqual([]);
    expect(await codesOf(csv("2026-01-30"), dates)).toEqual(["too_old"]);
  });
});

describe("anomalies", () => {
  const anomalies = (rest: object) =>
    rulesOf("csv", [aColumn({ type: "number" })], { anomalies: [{ column: "a", maxFraction: 0, ...rest }] });
  // Median 5, median absolute deviation 2, so a spread of 2.9652.
  const values = [2, 3, 4, 5, 5, 6, 7, 8];

  it("are values too far from the median", async () => {
    expect(await codesOf(csv(...values, "", 19), anomalies({ maxRobustZ: 5 }))).toEqual([]);
    const { verdict } = await validate(csv(...values, 21), anomalies({ maxRobustZ: 5 }));
    expect(verdict).toMatchObject({
      outcome: "quarantined",
      severity: "critical",
      reasons: [{ check: "anomalies", code: "anomalies", severity: "critical", column: "a", count: 1 }],
    });
  });

  it("may be as many as the share says", async () => {
    const anomalies = [{ column: "a", upper: 0, maxFraction: 0.29 }];
    const rules = rulesOf("csv", [aColumn({ type: "integer" })], { anomalies });
    const rows = (count: number) => csv(...Array.from({ length: 100 }, (_, i) => (i < count ? "1" : "0")));
    expect(await codesOf(rows(29), rules)).toEqual([]);
    expect(await codesOf(rows(30), rules)).toEqual(["anomalies"]);
  });

  it("are values beyond declared bounds, beyond a declared share", async () => {
    expect(await codesOf(csv(...values), anomalies({ lower: 2, upper: 8 }))).toEqual([]);
    expect(await codesOf(csv(...values), anomalies({ lower: 3 }))).toEqual(["anomalies"]);
    expect(await codesOf(csv(...values), anomalies({ lower: 3, maxFraction: 0.125 }))).toEqual([]);
  });
});

describe("drift", () => {
  const rules = rulesOf("csv", [aColumn({ type: "integer" }), aColumn({ name: "b", type: "date" })]);
  const rows = (from: number, date = "2026-01-01") =>
    `a,b\n${Array.from({ length: 1000 }, (_, i) => `${from + i},${date}`).join("\n")}\n`;

  it("of accepted data is a warning, of the columns beyond the threshold, and none of dates", async () => {
    const { profile } = await validate(rows(0), rules);
    const baseline = { profile: profile!, version: "000001-abcdefabcdef" };
    expect((await validate(rows(0, "1999-01-01"), rules, { baseline })).verdict).toMatchObject({
      outcome: "accepted",
      severity: "none",
      drift: { score: 0, baseline: baseline.version },
    });
    const { verdict } = await validate(rows(500), rules, { baseline });
    expect(verdict).toMatchObject({ outcome: "accepted", severity: "warning", drift: { column: "a" } });
    expect(verdict.reasons).toMatchObject([{ check: "drift", severity: "warning", column: "a", limit: 0.1 }]);
    expect(Value.Errors(Verdict, JSON.parse(JSON.stringify(verdict)))).toEqual([]);
  });

  it("of rejected data is told after what it is rejected for", async () => {
    const { profile } = await validate(rows(0), rules);
    const baseline = { profile: profile!, version: "000001-abcdefabcdef" };
    const strict = { ...rules, quality: { ...rules.quality, volume: { minRows: 2000 } } };
    const { verdict, profile: kept } = await validate(rows(500), strict, { baseline });
    expect(verdict).toMatchObject({ outcome: "quarantined", severity: "critical" });
    expect(verdict.reasons.map(({ code }) => code)).toEqual(["too_few_rows", "drift"]);
    expect(kept).toBeUndefined();
  });
});

describe("a verdict", () => {
  it.each([
    ["public", ["Bob-7ü"]],
    ["internal", ["Aaa-9a"]],
    ["confidential", undefined],
    ["restricted", undefined],
  ] as const)("shows of %s data what may be shown", async (classification, samples) => {
    const columns = [aColumn({ type: "string", enum: ["x"] })];
    const [reason] = await reasonsOf(csv("Bob-7ü"), rulesOf("csv", columns, {}, { classification }));
    expect(reason?.samples).toEqual(samples);
    const [extra] = await reasonsOf("a,Bob\nx,y\n", rulesOf("csv", columns, {}, { classification }));
    expect(extra?.samples).toEqual(classification === "public" ? ["Bob"] : undefined);
  });

  it("is given of a thousand columns, whatever their types", async () => {
    const types = ["string", "integer", "number", "timestamp", "date", "boolean"] as const;
    const columns = Array.from({ length: 1000 }, (_, i) =>
      aColumn({ name: `c${i}`, type: types[i % types.length] ?? "string" }),
    );
    const values = ["text", "+1", "1.5", "2026-01-01T00:00:00+02:00", "2026-01-01", "true"];
    const line = columns.map((_, i) => values[i % values.length]).join(",");
    const content = `${columns.map(({ name }) => name).join(",")}\n${`${line}\n`.repeat(1500)}`;
    const { verdict } = await validate(content, rulesOf("csv", columns));
    expect(verdict).toMatchObject({ outcome: "accepted", rows: 1500, duplicateRows: 1499 });
  });

  it("is the same for the same file, read from anywhere", async () => {
    const rules = rulesOf("csv", [aColumn({ type: "string" })]);
    const content = Buffer.from(csv("x", "y"));
    const { verdict } = await validate(content, rules);
    const pieces = async function* () {
      for (const byte of content) yield Uint8Array.of(byte);
    };
    const { streamSource } = await import("../../../handlers/dataset/byte-source.ts");
    const streamed = await validateData({
      data: { open: () => streamSource(pieces()) },
      rules,
      workFolder: folder,
      now: new Date("2026-02-01T00:00:00Z"),
    });
    expect(streamed.verdict).toEqual(verdict);
    expect(verdict.bytes).toBe(content.length);
  });

  it("has the whole file's checksum also where reading ended early", async () => {
    const { createHash } = await import("node:crypto");
    const content = `a,b\n${"x\n".repeat(100_000)}`;
    const columns = [aColumn({ type: "string" }), aColumn({ name: "b", type: "string" })];
    const { verdict } = await validate(content, rulesOf("csv", columns), { partBytes: 4096 });
    expect(verdict).toMatchObject({
      outcome: "quarantined",
      bytes: content.length,
      sha256: createHash("sha256").update(content).digest("hex"),
    });
  });

  it("is that a file could not be read in time, once that is over", async () => {
    const rules = rulesOf("csv", [aColumn({ type: "string" })]);
    expect(await codesOf(csv("x"), rules, { signal: AbortSignal.abort() })).toEqual(["not_in_time"]);
  });

  it("is published as a JSON Schema", () => {
    const published = JSON.parse(
      readFileSync(new URL("../../../docs/verdict.schema.json", import.meta.url), "utf8"),
    );
    expect(published).toEqual(JSON.parse(JSON.stringify(Verdict)));
  });

  it("names another schema where a column changed, and the same where only its words are in another order", () => {
    const one = rulesOf("csv", [{ name: "a", type: "string", nullable: true }]);
    const same = rulesOf("csv", [{ nullable: true, type: "string", name: "a" }]);
    const other = rulesOf("csv", [{ name: "a", type: "string", nullable: false }]);
    expect(schemaDigest(same)).toBe(schemaDigest(one));
    expect(schemaDigest(other)).not.toBe(schemaDigest(one));
  });
});

describe("real data", () => {
  const data = (file: string) =>
    readFileSync(new URL(`../../../node_modules/vega-datasets/data/${file}`, import.meta.url));
  const penguinRules = datasetRules(exampleSpecs().find(({ name }) => name === "penguins")!.spec);
  const penguins: Record<string, unknown>[] = JSON.parse(data("penguins.json").toString());
  const header = Object.keys(penguins[0]!);
  const asCsv = (rows: readonly Record<string, unknown>[]) =>
    `${header.join(",")}\n${rows.map((row) => header.map((name) => row[name] ?? "").join(",")).join("\n")}\n`;

  it("the penguins are accepted, as CSV and as JSON lines", async () => {
    expect((await validate(asCsv(penguins), penguinRules)).verdict).toMatchObject({
      outcome: "accepted",
      rows: 344,
    });
    const lines = penguins.map((row) => JSON.stringify(row)).join("\n");
    const { verdict } = await validate(lines, { ...penguinRules, format: "jsonl" });
    expect(verdict).toMatchObject({ outcome: "accepted", rows: 344 });
  });

  it.each([
    ["a species that there isn't", { Species: "Emperor" }, "not_listed"],
    ["a body mass in kilograms", { "Body Mass (g)": 3.75 }, "wrong_type"],
    ["a beak of another unit", { "Beak Length (mm)": 391 }, "above_maximum"],
    ["a missing island", { Island: null }, "null_not_allowed"],
    ["a comma for a decimal point", { "Beak Depth (mm)": '"18,7"' }, "wrong_type"],
  ])("%s in one row is found", async (_, change, code) => {
    const changed = penguins.map((row, index) => (index === 100 ? { ...row, ...change } : row));
    expect(await codesOf(asCsv(changed), penguinRules)).toEqual([code]);
  });

  it("a row that is there twice is found", async () => {
    expect(await codesOf(asCsv([...penguins, penguins[7]!]), penguinRules)).toEqual(["duplicate_rows"]);
  });

  it("three million flights are accepted, and their 191 duplicates counted", async () => {
    const text = { type: "string", nullable: false, pattern: "[A-Z]{3}" } as const;
    const rules = rulesOf(
      "parquet",
      [
        { name: "date", type: "timestamp", nullable: false },
        { name: "delay", type: "integer", nullable: false },
        { name: "distance", type: "integer", nullable: false, min: 0 },
        { name: "origin", ...text },
        { name: "destination", ...text },
      ],
      { maxDuplicateFraction: 0.0001 },
    );
    const { verdict, profile } = await validate(data("flights-3m.parquet"), rules);
    expect(verdict).toMatchObject({ outcome: "accepted", rows: 3_000_000, duplicateRows: 191 });
    expect(profile?.rows).toBe(3_000_000);
    const strict = { ...rules, quality: { ...rules.quality, maxDuplicateFraction: 0 } };
    expect(await codesOf(data("flights-3m.parquet"), strict)).toEqual(["duplicate_rows"]);
  }, 120_000);
});
