import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { startEngine } from "../../../handlers/dataset/engine.ts";
import type { DatasetRules } from "../../../handlers/dataset/rules.ts";
import type { DatasetColumn } from "../../../programs/spec.ts";
import { OF_EMPTY_ROW_GROUPS, WITH_UNTYPED_NULLS } from "../support/parquet-files.ts";
import { bigint, withClaimedStatistics } from "../support/parquet-statistics.ts";
import { aColumn, fileValidation, rulesOf } from "../support/validated-files.ts";

const { folder, validate } = fileValidation(new Date("2026-02-01T00:00:00Z"));

async function verdictOf(content: string | Uint8Array, rules: DatasetRules, partBytes?: number) {
  const { verdict } = await validate(content, rules, partBytes === undefined ? {} : { partBytes });
  return verdict;
}

/** "accepted", or the codes of all reasons. */
async function outcomeOf(
  content: string | Uint8Array,
  rules: DatasetRules,
  partBytes?: number,
): Promise<string> {
  const { outcome, reasons } = await verdictOf(content, rules, partBytes);
  return outcome === "accepted" ? outcome : reasons.map(({ code }) => code).join(" ");
}

const text = aColumn({ type: "string" });
const other = aColumn({ name: "b", type: "string" });
const oneText = rulesOf("csv", [text]);
const twoTexts = rulesOf("csv", [text, other]);
const jsonTexts = rulesOf("jsonl", [text, other]);
const bytes = (...values: number[]) => Uint8Array.from(values);
const LARGE = 17 * 1024 * 1024;

/** A header of 4 bytes, 10,000 records of 4, and this. */
const manyRowsThen = (end: Buffer) => Buffer.concat([Buffer.from(`a,b\n${"1,2\n".repeat(10_000)}`), end]);

type Case = readonly [fact: string, content: string | Uint8Array, outcome: string];

const CSV: readonly Case[] = [
  ["lines may end with LF", "a,b\n1,2\n3,4\n", "accepted"],
  ["lines may end with CRLF", "a,b\r\n1,2\r\n3,4\r\n", "accepted"],
  ["lines may end with both", "a,b\r\n1,2\n3,4\r\n", "accepted"],
  ["the last line may lack its end", "a,b\n1,2\n3,4", "accepted"],
  ["the last field may be empty and its line lack an end", "a,b\n1,2\n3,", "accepted"],
  ["columns may be in another order", "b,a\n1,2\n", "accepted"],
  ["a byte order mark at the beginning is ignored", "\ufeffa,b\n1,2\n", "accepted"],
  ["a quoted field may have line ends, commas and quotes", 'a,b\n"1\n2,""","\r\n"\n', "accepted"],
  ["a header may be quoted", '"a","b"\n1,2\n', "accepted"],
  ["text may have a NUL and an apostrophe", "a,b\n\0','\\\n", "accepted"],
  ["a byte order mark elsewhere is an error", "a,b\n1,\ufeff2\n", "byte_order_mark_inside"],
  ["a carriage return alone ends no line", "a,b\r1,2\r", "lone_carriage_return"],
  ["a carriage return alone is an error in a field", "a,b\n1,2\r3\n", "lone_carriage_return"],
  ["an empty line is a record of one field", "a,b\n1,2\n\n3,4\n", "field_count"],
  ["an empty line at the end is one too", "a,b\n1,2\n\n", "field_count"],
  ["an empty line with CRLF is one too", "a,b\r\n1,2\r\n\r\n", "field_count"],
  ["a record has no fewer fields than the header", "a,b\n1\n", "field_count"],
  ["a record has no more fields than the header", "a,b\n1,2,3\n", "field_count"],
  ["a comma at the end begins a field", "a,b\n1,2,\n", "field_count"],
  ["a comma at the end of the file begins a field", "a,b\n1,2,", "field_count"],
  ["quoted records have the header's fields too", 'a,b\n"1"\n', "field_count"],
  ["a quote stands at the beginning of a field only", 'a,b\n1"2,3\n', "quote_inside_field"],
  ["a space before a quote makes it stand inside", 'a,b\n "1",3\n', "quote_inside_field"],
  ["nothing follows a closing quote", 'a,b\n"1" ,3\n', "text_after_quote"],
  ["a quote that is open at the end is cut off", 'a,b\n1,"2\n', "quote_never_closed"],
  ["a file has bytes", "", "empty_file"],
  ["a byte order mark alone is an empty file", "\ufeff", "empty_file"],
  ["a header alone has no rows", "a,b\n", "no_rows"],
  ["a header alone may lack its line end, and has no rows", "a,b", "no_rows"],
  ["each column is there", "a\n1\n", "missing_column"],
  ["no other column is there", "a,b,c\n1,2,3\n", "extra_column"],
  ["no column is there twice", "a,b,a\n1,2,3\n", "column_twice"],
  ["case matters in the name of a column", "A,b\n1,2\n", "missing_column extra_column"],
  ["space matters in the name of a column", "a, b\n1,2\n", "missing_column extra_column"],
  ["Latin-1 is no UTF-8", Buffer.from("a,b\nM\xfcller,2\n", "latin1"), "not_utf8"],
  ["UTF-16 is no UTF-8", Buffer.from("\ufeffa,b\n1,2\n", "utf16le"), "not_utf8"],
  ["a character that is cut off is no UTF-8", Buffer.from("a,b\n1,\u00fc").subarray(0, -1), "not_utf8"],
  ["surrogates are no UTF-8", bytes(0x61, 0x2c, 0x62, 0x0a, 0xed, 0xa0, 0x80, 0x2c, 0x32), "not_utf8"],
  ["gzip is not unpacked", gzipSync("a,b\n1,2\n"), "compressed"],
  ["zstd is not unpacked", zstdCompressSync("a,b\n1,2\n"), "compressed"],
  ["a record of more than 16 MB is none", `a,b\n1,${"x".repeat(LARGE)}\n`, "record_too_long"],
  ["a quoted record of more than 16 MB is none", `a,b\n1,"${"x".repeat(LARGE)}"\n`, "record_too_long"],
  [
    "a header of one quoted name of 9 MB is one of other columns",
    `"${"x".repeat(9_000_000)}"\n1\n`,
    "missing_column missing_column extra_column",
  ],
  ["a header may quote names", '"a","b"\n1,2\n', "accepted"],
  ["quotes within a name are doubled", '"a""",b\n1,2\n', "missing_column extra_column"],
  ["a header may end with an empty name", "a,b,\n1,2,\n", "extra_column"],
  ["a record of 3 MB is read", `a,b\n1,${"x".repeat(3_000_000)}\n`, "accepted"],
  ["a binary file is no table", bytes(0, 1, 2, 3, 4, 5), "missing_column missing_column extra_column"],
];

describe("CSV", () => {
  it.each(CSV)("%s", async (_, content, outcome) => {
    expect(await outcomeOf(content, twoTexts)).toBe(outcome);
  });

  it.each(["", '"'])(
    "records of up to 16 MB among short ones are read, though parts are smaller: %s",
    async (quote) => {
      const texts = [7_000_000, 1, 15_000_000, 14_000_000, 2, 8_000_000, 15_500_000];
      const lines = texts.map((size, index) => `${index},${quote}${"x".repeat(size)}${quote}\n`);
      expect(await verdictOf(`a,b\n${lines.join("")}`, twoTexts)).toMatchObject({
        outcome: "accepted",
        rows: 7,
      });
    },
  );

  it.each([
    ["Latin-1", Buffer.from("a,b\nM\xfcller,2\n", "latin1"), undefined, /byte 6 on: save it as UTF-8/],
    ["a character that is cut off", Buffer.from("a,b\n1,\u00fc").subarray(0, -1), undefined, /byte 7 on/],
    ["a stray half", Buffer.from("\ufeffa,b\n\u00fc,2\n\xbc,4\n", "latin1"), undefined, /byte 1 on/],
    [
      "a wrong byte beyond the first part",
      manyRowsThen(Buffer.from("\xfc,2\n", "latin1")),
      4096,
      /byte 40005 on/,
    ],
    ["UTF-16", Buffer.from("\ufeffa,b\n1,2\n", "utf16le"), undefined, /is UTF-16: save it as UTF-8/],
    ["a mark beyond the first part", manyRowsThen(Buffer.from("\ufeff,2\n")), 4096, /its byte 40005:/],
  ] as const)("says where %s stands", async (_, content, partBytes, message) => {
    const verdict = await verdictOf(content, twoTexts, partBytes);
    expect(verdict.reasons).toMatchObject([{ check: "encoding", message: expect.stringMatching(message) }]);
  });

  it("an empty line of a file with one column is a null", async () => {
    const verdict = await verdictOf("a\n1\n\n\n", oneText);
    expect(verdict).toMatchObject({ outcome: "accepted", rows: 3, nullFraction: 2 / 3 });
  });

  it("an empty first line of a file with one column is a null", async () => {
    expect(await verdictOf("a\n\n1", oneText)).toMatchObject({
      outcome: "accepted",
      rows: 2,
      nullFraction: 1 / 2,
    });
  });

  it("tells the record at which a file breaks off, wherever its parts are cut", async () => {
    const content = `a,b\n${"1,2\n".repeat(1000)}3\n`;
    for (const partBytes of [1024, 4096, 1 << 20]) {
      const { reasons, rows } = await verdictOf(content, twoTexts, partBytes);
      expect(reasons[0]).toMatchObject({ code: "field_count", record: 1001 });
      expect(rows).toBeLessThanOrEqual(1000);
    }
  });

  it("reads the same, wherever its parts are cut", async () => {
    const lines = Array.from({ length: 500 }, (_, i) => `"ä\n""${i}",${i % 7 === 0 ? "" : "é€😀"}`);
    const content = `a,b\r\n${lines.join("\r\n")}`;
    const whole = await verdictOf(content, twoTexts);
    expect(whole).toMatchObject({ outcome: "accepted", rows: 500, duplicateRows: 0 });
    for (const partBytes of [1024, 1025, 1027, 3001]) {
      expect(await verdictOf(content, twoTexts, partBytes)).toEqual(whole);
    }
  });
});

const JSON_LINES: readonly Case[] = [
  ["an object stands on each line", '{"a":"1","b":"2"}\n{"b":"3","a":null}\n', "accepted"],
  ["the last line may lack its end", '{"a":"1","b":"2"}', "accepted"],
  ["space may stand around everything", ' { "a" :\t"1" , "b" : "2" } \r\n', "accepted"],
  ["a byte order mark at the beginning is ignored", '\ufeff{"a":"1"}\n', "accepted"],
  ["an absent key is a null", "{}\n", "accepted"],
  ["text may have any escape", '{"a":"\\"\\u00e9\\n\\ud83d\\ude00","b":"\\\\"}\n', "accepted"],
  ["a key may be escaped", '{"\\u0061":"1"}\n', "accepted"],
  ["a key is not there twice", '{"a":"1","a":"1"}\n', "json_key_twice"],
  ["an escaped key counts as the same", '{"a":"1","\\u0061":"2"}\n', "json_key_twice"],
  ["no other key is there", '{"a":"1","c":1}\n', "extra_column"],
  ["case matters in a key", '{"A":"1"}\n', "extra_column"],
  ["a list is no value", '{"a":["1"]}\n', "wrong_type"],
  ["an object is no value", '{"a":{"b":[1,{}]}}\n', "wrong_type"],
  ["a number is no text", '{"a":1}\n', "wrong_type"],
  ["an empty line is no object", '{"a":"1"}\n\n{"a":"2"}\n', "json_syntax"],
  ["a list of objects is no object", '[{"a":"1"}]\n', "json_syntax"],
  ["an object ends on its line", '{"a":\n"1"}\n', "json_syntax"],
  ["two objects have two lines", '{"a":"1"}{"a":"2"}\n', "json_syntax"],
  ["a bracket that is missing is cut off", '{"a":"1"}\n{"a":"2"', "json_syntax"],
  ["a comma at the end is no JSON", '{"a":"1",}\n', "json_syntax"],
  ["NaN is no JSON", '{"a":NaN}\n', "json_syntax"],
  ["a number without digits is no JSON", '{"a":-}\n', "json_syntax"],
  ["a number doesn't begin with 0", '{"a":01}\n', "json_syntax"],
  ["text ends on its line", '{"a":"1\n"}\n', "json_syntax"],
  ["half a surrogate pair is no character", '{"a":"\\ud800"}\n', "json_not_unicode"],
  ["an unknown escape is no JSON", '{"a":"\\x"}\n', "json_syntax"],
  ["Latin-1 is no UTF-8", Buffer.from('{"a":"\xfc"}', "latin1"), "not_utf8"],
  ["a file has bytes", "", "empty_file"],
  ["a line end alone is no object", "\n", "json_syntax"],
  ["gzip is not unpacked", gzipSync('{"a":"1"}'), "compressed"],
  ["a record of more than 16 MB is none", `{"a":"${"x".repeat(LARGE)}"}\n`, "record_too_long"],
];

describe("JSON lines", () => {
  it.each(JSON_LINES)("%s", async (_, content, outcome) => {
    expect(await outcomeOf(content, jsonTexts)).toBe(outcome);
  });

  it("records of up to 16 MB among short ones are read, though parts are smaller", async () => {
    const texts = [7_000_000, 1, 15_000_000, 14_000_000, 2, 8_000_000, 15_500_000];
    const lines = texts.map((size, index) => `{"a":"${"x".repeat(size)}\\n${index}"}\n`);
    expect(await verdictOf(lines.join(""), jsonTexts)).toMatchObject({ outcome: "accepted", rows: 7 });
  });

  it("empty text is no null", async () => {
    expect(await verdictOf('{"a":"","b":""}\n', jsonTexts)).toMatchObject({ nullFraction: 0 });
  });

  it("a value of another kind is no null", async () => {
    expect(await verdictOf('{"a":1,"b":"2"}\n', jsonTexts)).toMatchObject({ nullFraction: 0 });
  });

  it("reads the same, wherever its parts are cut", async () => {
    const lines = Array.from({ length: 500 }, (_, i) =>
      JSON.stringify({ b: `"\n${i}`, a: i % 3 ? "é😀" : null }),
    );
    const content = lines.join("\n");
    const whole = await verdictOf(content, jsonTexts);
    expect(whole).toMatchObject({ outcome: "accepted", rows: 500, duplicateRows: 0 });
    for (const partBytes of [1024, 1025, 3001]) {
      expect(await verdictOf(content, jsonTexts, partBytes)).toEqual(whole);
    }
  });
});

type ValueCase = readonly [
  type: DatasetColumn["type"],
  accepted: readonly string[],
  rejected: readonly string[],
];

const VALUES: readonly ValueCase[] = [
  [
    "integer",
    [
      "1",
      "+1",
      "-0",
      "007",
      "1.0",
      "1.",
      "1e3",
      "0e-400",
      "1E+3",
      "10e-1",
      "1.5e1",
      "9223372036854775807",
      "-9223372036854775808",
      "9223372036854775807.0",
      "92233720368547758.07e2",
      "9007199254740993.0",
    ],
    [
      "1.5",
      "1e-1",
      "9223372036854775808",
      "-9223372036854775809",
      "1e19",
      "9223372036854775807.5",
      " 1",
      "1 ",
      "1_000",
      "0x1F",
      "0b1",
      "1,0",
      "--1",
      "e3",
      ".",
      "inf",
      "true",
      "٣",
      "1.0000000000000000000000001",
      "1e-30",
      "1e-400",
    ],
  ],
  [
    "number",
    ["1", "+1.5", "-.5", "1.", "1e300", "1E-400", "00.1"],
    ["1e400", "-1e400", "inf", "-Infinity", " 1.5", "1.5 ", "1_0.5", "0x1p3", "1,5", "1.5e", ".", "1d", "x"],
  ],
  ["boolean", ["true", "false", "True", "FALSE"], ["1", "0", "t", "yes", " true"]],
  [
    "date",
    ["2024-02-29", "0001-01-01", "9999-12-31"],
    [
      "2023-02-29",
      "2023-2-1",
      "2023-02-01 ",
      "2023/02/01",
      "20230201",
      "2023-02-01T00:00:00",
      "infinity",
      "epoch",
      "12023-02-01",
      "2023-13-01",
      "01.02.2023",
    ],
  ],
  [
    "timestamp",
    [
      "2024-02-29T23:59:59Z",
      "2024-02-29T23:59",
      "2024-02-29T23:59Z",
      "2024-02-29 23:59:59",
      "2024-02-29T23:59:59.123456789+02:00",
      "2024-02-29T23:59:59-0530",
      "2024-02-29T23:59+01",
    ],
    [
      "2024-02-29",
      "2023-02-29T00:00:00Z",
      "2024-02-29T24:00:00Z",
      "2024-02-29T23:60:00Z",
      "2024-02-29T23:59:60Z",
      "2024-02-29T23",
      "2024-02-29t23:59:59z",
      "2024-02-29T23:59:59 UTC",
      " 2024-02-29T23:59:59Z",
      "1709251199",
      "infinity",
      "2024-02-29T23:59:59.Z",
      "20240229T235959Z",
    ],
  ],
  ["string", ["1", " a", "a ", "NaN", "NULL", "null", "\u00e9", "e\u0301"], []],
];

describe.each(VALUES)("a value of type %s", (type, accepted) => {
  const typed = rulesOf("csv", [{ name: "a", type, nullable: false }]);

  it.each(accepted.map((value) => [value]))("may be written %j in CSV", async (value) => {
    const quoted = value.includes(",") ? `"${value}"` : value;
    expect(await outcomeOf(`a\n${quoted}\n`, typed)).toBe("accepted");
  });
});

const TYPED_VALUES = VALUES.filter(([, , rejected]) => rejected.length > 0);

describe.each(TYPED_VALUES)("a value of type %s", (type, _accepted, rejected) => {
  it("is written in no other way in CSV", async () => {
    const typed = rulesOf("csv", [{ name: "a", type, nullable: false }]);
    const content = `a\n${rejected.map((value) => `"${value}"`).join("\n")}\n`;
    const { reasons } = await verdictOf(content, typed);
    expect(reasons).toMatchObject([
      { check: "type", code: "wrong_type", column: "a", count: rejected.length },
    ]);
  });
});

describe("JSON values", () => {
  it.each([
    ["integer", "1e3", "accepted"],
    ["integer", "1.0", "accepted"],
    ["integer", "9223372036854775807", "accepted"],
    ["integer", "9223372036854775808", "wrong_type"],
    ["integer", "1.5", "wrong_type"],
    ["integer", '"1"', "wrong_type"],
    ["integer", "true", "wrong_type"],
    ["number", "1e400", "wrong_type"],
    ["number", "-1.5E-3", "accepted"],
    ["number", '"1.5"', "wrong_type"],
    ["boolean", "true", "accepted"],
    ["boolean", '"true"', "wrong_type"],
    ["boolean", "1", "wrong_type"],
    ["date", '"2024-02-29"', "accepted"],
    ["date", '"2023-02-29"', "wrong_type"],
    ["date", "20240229", "wrong_type"],
    ["date", '""', "wrong_type"],
    ["timestamp", '"2024-02-29T00:00:00Z"', "accepted"],
    ["timestamp", "1709251199", "wrong_type"],
  ] as const)("a %s written %s is %s", async (type, value, outcome) => {
    const rules = rulesOf("jsonl", [{ name: "a", type, nullable: false }]);
    expect(await outcomeOf(`{"a":${value}}\n`, rules)).toBe(outcome);
  });
});

let made = 0;

async function parquet(select: string): Promise<Buffer> {
  const path = join(folder, `made-${made++}.parquet`);
  const engine = await startEngine({ workFolder: folder, memoryLimitMb: 200, threads: 1 });
  await engine.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`);
  engine.close();
  return readFileSync(path);
}

describe("Parquet", () => {
  const rejected = ["wrong_column_type", "wrong_type", "null_not_allowed"];
  it.each([
    ["integer", "1::TINYINT", "accepted"],
    ["integer", "9223372036854775807", "accepted"],
    ["integer", "18446744073709551615::UBIGINT", "wrong_type"],
    ["integer", "2.0::DOUBLE", "accepted"],
    ["integer", "2.5::DOUBLE", "wrong_type"],
    ["integer", "2.00::DECIMAL(9,2)", "accepted"],
    ["integer", "2.01::DECIMAL(9,2)", "wrong_type"],
    ["integer", "'1'", "wrong_column_type"],
    ["integer", "'NaN'::DOUBLE", "null_not_allowed"],
    ["number", "1", "accepted"],
    ["number", "1.5::FLOAT", "accepted"],
    ["number", "'inf'::DOUBLE", "wrong_type"],
    ["number", "'NaN'::DOUBLE", "null_not_allowed"],
    ["number", "NULL::DOUBLE", "null_not_allowed"],
    ["number", "'1.5'", "wrong_column_type"],
    ["boolean", "true", "accepted"],
    ["boolean", "1", "wrong_column_type"],
    ["string", "'a'", "accepted"],
    ["string", "'a'::BLOB", "wrong_column_type"],
    ["string", "1", "wrong_column_type"],
    ["string", "['a']", "wrong_column_type"],
    ["date", "DATE '2024-02-29'", "accepted"],
    ["date", "'2024-02-29'", "accepted"],
    ["date", "'2024-2-29'", "wrong_type"],
    ["date", "TIMESTAMP '2024-02-29 00:00:00'", "wrong_column_type"],
    ["timestamp", "TIMESTAMP '2024-02-29 00:00:00'", "accepted"],
    ["timestamp", "TIMESTAMPTZ '2024-02-29 00:00:00+02'", "accepted"],
    ["timestamp", "TIMESTAMP_NS '2024-02-29 00:00:00'", "accepted"],
    ["timestamp", "DATE '2024-02-29'", "wrong_column_type"],
  ] as const)("a %s stored as %s is %s", async (type, value, outcome) => {
    const rules = rulesOf("parquet", [{ name: "a", type, nullable: false }]);
    expect(await outcomeOf(await parquet(`SELECT ${value} AS a`), rules)).toBe(outcome);
    expect(outcome === "accepted" || rejected.includes(outcome)).toBe(true);
  });

  const rules = rulesOf("parquet", [text, other]);

  it.each([
    ["columns may be in another order", "SELECT '1' AS b, '2' AS a", "accepted"],
    ["each column is there", "SELECT '1' AS a", "missing_column"],
    ["no other column is there", "SELECT '1' AS a, '2' AS b, 3 AS c", "extra_column"],
    ["case matters in the name of a column", "SELECT '1' AS \"A\", '2' AS b", "missing_column extra_column"],
    ["zero rows are none", "SELECT '1' AS a, '2' AS b WHERE false", "no_rows"],
  ])("%s", async (_, select, outcome) => {
    expect(await outcomeOf(await parquet(select), rules)).toBe(outcome);
  });

  it("holds the values that are read, whatever its statistics claim", async () => {
    const upTo231 = rulesOf("parquet", [{ name: "a", type: "integer", nullable: false, max: 231 }]);
    const honest = await parquet("SELECT if(range = 3, 99999, 200)::BIGINT AS a FROM range(100)");
    expect(await outcomeOf(honest, upTo231)).toBe("above_maximum");
    const lying = withClaimedStatistics(honest, bigint(99_999), bigint(200));
    expect(await outcomeOf(lying, upTo231)).toBe("above_maximum");
  });

  it("with nothing but nulls in a column may leave the column without a type, as pandas does", async () => {
    const types = ["string", "integer", "number", "boolean", "date", "timestamp"] as const;
    for (const type of types) {
      const columns = [aColumn({ type: "integer" }), aColumn({ name: "b", type })];
      expect(await outcomeOf(WITH_UNTYPED_NULLS, rulesOf("parquet", columns))).toBe("accepted");
    }
  });

  it("has no rows where all of its row groups are empty", async () => {
    const rules = rulesOf("parquet", [aColumn({ type: "integer" })]);
    expect(await outcomeOf(OF_EMPTY_ROW_GROUPS, rules)).toBe("no_rows");
  });

  it("that lacks a piece before its footer is damaged", async () => {
    const whole = await parquet(
      "SELECT range::VARCHAR AS a, (range * 7919)::VARCHAR AS b FROM range(100000)",
    );
    const footer = whole.length - 8 - whole.readUInt32LE(whole.length - 8);
    const lacking = Buffer.concat([whole.subarray(0, 1000), whole.subarray(footer)]);
    expect(await outcomeOf(lacking, rules)).toBe("unreadable");
  });

  it("cuts nanoseconds as text does, also before 1970", async () => {
    const columns = [aColumn({ type: "timestamp" })];
    const rules = rulesOf("parquet", columns, { maxDuplicateFraction: 0 });
    const at = (nanoseconds: number) => `make_timestamp_ns(${nanoseconds})`;
    const equal = `SELECT unnest([${at(-1)}, ${at(-999)}]) AS a`;
    expect(await outcomeOf(await parquet(equal), rules)).toBe("duplicate_rows");
    const different = `SELECT unnest([${at(-1)}, ${at(1)}]) AS a`;
    expect(await outcomeOf(await parquet(different), rules)).toBe("accepted");
  });

  it("has as many rows as its footer claims", async () => {
    const honest = await parquet("SELECT range::BIGINT AS a FROM range(100)");
    const integers = rulesOf("parquet", [{ name: "a", type: "integer", nullable: false }]);
    expect(await outcomeOf(honest, integers)).toBe("accepted");
    const footer = honest.length - 8 - honest.readUInt32LE(honest.length - 8);
    // Thrift writes numbers zigzag: this is 100, and the file's number comes before those of row groups.
    const lying = Buffer.from(honest);
    lying[honest.indexOf(Buffer.from([0xc8, 0x01]), footer)] = 0xc6;
    expect(await outcomeOf(lying, integers)).toBe("parquet_not_whole");
  });

  it("is whole from its first byte to its last", async () => {
    const whole = await parquet("SELECT range::VARCHAR AS a, 'x' AS b FROM range(1000)");
    expect(await outcomeOf(whole, rules)).toBe("accepted");
    expect(await outcomeOf(whole.subarray(0, -1), rules)).toBe("parquet_not_whole");
    expect(await outcomeOf(whole.subarray(0, 8), rules)).toBe("parquet_not_whole");
    expect(await outcomeOf(whole.subarray(1), rules)).toBe("parquet_not_whole");
    expect(await outcomeOf(Buffer.concat([whole.subarray(0, 4), whole.subarray(300)]), rules)).toBe(
      "unreadable",
    );
    expect(await outcomeOf("", rules)).toBe("empty_file");
    expect(await outcomeOf("a,b\n1,2\n", rules)).toBe("parquet_not_whole");
    expect(await outcomeOf(gzipSync(whole), rules)).toBe("compressed");
  });
});
