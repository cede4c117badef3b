import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canonicalRecords } from "../../../handlers/dataset/canonical-records.ts";
import { type Engine, startEngine } from "../../../handlers/dataset/engine.ts";
import { fromText, quotedText, STORED_AS } from "../../../handlers/dataset/typed-columns.ts";
import type { DatasetColumn } from "../../../programs/spec.ts";
import { aColumn } from "../support/validated-files.ts";

type Type = DatasetColumn["type"];

const count = (types: readonly Type[], text: string) =>
  canonicalRecords(types.map((type) => aColumn({ type })))(Buffer.from(text));

const twoDigits = (max: number, min = 0) =>
  fc.integer({ min, max }).map((value) => String(value).padStart(2, "0"));
const digits = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789"), minLength, maxLength });
const date = fc
  .tuple(fc.integer({ min: 1000, max: 9999 }), fc.integer({ min: 0, max: 365 }))
  .map(([year, day]) => new Date(Date.UTC(year, 0, 1 + day)).toISOString().slice(0, 10))
  .filter((text) => /^\d{4}-/.test(text) && !/^\d\d00-02-29$/.test(text));
const fraction = fc.option(
  digits(1, 6).map((text) => `.${text}`),
  { nil: "" },
);

/** Texts in the canonical form of each type. */
const TEXTS: Readonly<Record<Exclude<Type, "string">, fc.Arbitrary<string>>> = {
  integer: fc.tuple(fc.constantFrom("", "-"), digits(1, 18)).map((parts) => parts.join("")),
  number: fc.oneof(
    fc
      .double({ noDefaultInfinity: true, noNaN: true, min: -1e29, max: 1e29 })
      .map(String)
      .filter((text) => !/e.?\d{3}/.test(text)),
    fc
      .tuple(fc.constantFrom("", "-"), digits(1, 30), fraction, fc.constantFrom("", "e5", "E-05", "e+99"))
      .map((parts) => parts.join("")),
  ),
  boolean: fc.constantFrom("true", "false"),
  date,
  timestamp: fc
    .tuple(
      date,
      fc.constantFrom("T", " "),
      twoDigits(23),
      twoDigits(59),
      twoDigits(59),
      fraction,
      fc.constantFrom("", "Z"),
    )
    .map(
      ([day, between, hour, minute, second, rest, zone]) =>
        `${day}${between}${hour}:${minute}:${second}${rest}${zone}`,
    ),
};

describe("records of canonical fields", () => {
  let engine: Engine;
  const folder = mkdtempSync(join(tmpdir(), "canonical-"));
  beforeAll(async () => {
    engine = await startEngine({ workFolder: folder, memoryLimitMb: 200, threads: 1 });
  });
  afterAll(() => {
    engine.close();
    rmSync(folder, { recursive: true });
  });

  it.each(Object.entries(TEXTS))(
    "are those that DuckDB's reader takes for what the text is by our rules: %s",
    async (type, text) => {
      const texts = fc.sample(text, { numRuns: 2000, seed: 7 });
      const path = join(folder, `${type}.csv`);
      const content = texts.map((one) => `${one},x\n`).join("");
      expect(count([type as Type, "string"], content)).toBe(texts.length);
      writeFileSync(path, content);
      const read = (stored: string) =>
        `read_csv(${quotedText(path)}, auto_detect = false, header = false, columns = {'c0': '${stored}', 'c1': 'VARCHAR'}, parallel = false)`;
      const { value, misfit } = fromText(aColumn({ type: type as Type }), "c0", "v", false);
      const native = await engine.rows(`SELECT c0::VARCHAR AS v FROM ${read(STORED_AS[type as Type])}`);
      const looked = await engine.rows(
        `SELECT v::VARCHAR AS v, ${misfit} AS wrong FROM (SELECT c0, ${value} AS v FROM ${read("VARCHAR")})`,
      );
      expect(looked.filter(({ wrong }) => wrong === true)).toEqual([]);
      expect(native.map(({ v }) => v)).toEqual(looked.map(({ v }) => v));
    },
  );

  it("may be empty, quoted where they are text, and in any number", () => {
    const types: Type[] = ["integer", "string", "timestamp"];
    expect(count(types, ",,\n")).toBe(1);
    expect(count(types, '1,"a ""b"", c",2026-01-01T00:00:00\n')).toBe(1);
    expect(count(types, "1,ünï\0,\n".repeat(100_001))).toBe(100_001);
    expect(count(types, `1,${"x".repeat(900_000)},\n`.repeat(5))).toBe(5);
  });

  it.each<[Type, string]>([
    ["integer", "+1"],
    ["integer", "1.0"],
    ["integer", " 1"],
    ["integer", "1_0"],
    ["integer", "0x1f"],
    ["integer", "1e3"],
    ["integer", "-"],
    ["integer", "1234567890123456789"],
    ["integer", '"1"'],
    ["number", "1."],
    ["number", ".5"],
    ["number", "1e"],
    ["number", "1e100"],
    ["number", "nan"],
    ["number", "9".repeat(31)],
    ["boolean", "True"],
    ["boolean", "t"],
    ["date", "2026-02-29"],
    ["date", "2000-02-29"],
    ["date", "2026-04-31"],
    ["date", "2026-13-01"],
    ["date", "2026-00-01"],
    ["date", "2026-01-00"],
    ["date", "0999-01-01"],
    ["date", "2026-1-01"],
    ["timestamp", "2026-01-01"],
    ["timestamp", "2026-01-01T24:00:00"],
    ["timestamp", "2026-01-01T00:00:60"],
    ["timestamp", "2026-01-01T00:00"],
    ["timestamp", "2026-01-01T00:00:00+01:00"],
    ["timestamp", "2026-01-01T00:00:00.1234567"],
    ["timestamp", "2026-01-01T00:00:00."],
    ["string", 'a"b'],
    ["string", '"a"b'],
    ["string", '"a\nb"'],
    ["string", "a\rb"],
    ["string", '"a'],
  ])("are none where a field of the type %s is %s, so that it is looked at as text", (type, text) => {
    expect(count([type, "string"], `,\n${text},\n,\n`)).toBeUndefined();
  });

  it.each([
    ["a field too many", "1,a,\n"],
    ["a field too few", "1\n"],
    ["an empty line", "1,a\n\n1,a\n"],
    ["no line end at the end", "1,a\n1,a"],
    ["nothing", ""],
    ["a huge record", `1,${"x".repeat(1_100_000)}\n1,a\n`],
  ])("are none with %s", (_, text) => {
    expect(count(["integer", "string"], text)).toBeUndefined();
    expect(count(["string"], "a\n\nb\n")).toBeUndefined();
  });
});
