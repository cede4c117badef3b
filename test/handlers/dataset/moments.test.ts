import { DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { expect, it } from "vitest";
import { dayMs, timestampMs } from "../../../handlers/dataset/moments.ts";
import { fromText, quotedText } from "../../../handlers/dataset/typed-columns.ts";

const ODDITIES = [
  "",
  "5",
  "garbage 2026",
  "2026",
  "2026-01",
  "2026-1-1",
  "2026-02-30",
  "2026-00-10",
  "2026-13-01",
  "1900-02-29",
  "2000-02-29",
  "0000-02-29",
  "+02026-01-01",
  " 2026-01-01",
  "2026-01-01 ",
  "2026-01-01T10",
  "2026-01-01T10:00",
  "2026-01-01 10:00+05",
  "2026-01-01T10:00:00+0530",
  "2026-01-01T10:00:00 +05",
  "2026-01-01T10:00:00z",
  "2026-01-01t10:00:00Z",
  "2026-01-01T24:00:00Z",
  "2016-12-31T23:59:60Z",
  "2026-01-01T10:00:00.Z",
  "2026-01-01T10:00:00.1234567890Z",
  "2026-01-01T10:00:00+24:00",
  "2026-02-30T10:00:00Z",
  "0000-01-01T00:00+05",
  "9999-12-31T23:59:59.999999999-23:59",
  "1969-12-31T23:59:59.9999999",
  "Thu, 01 Jan 2026 00:00:00 GMT",
];

const number = (max: number, digits: number) =>
  fc.integer({ min: 0, max }).map((value) => String(value).padStart(digits, "0"));
const day = fc.tuple(number(9999, 4), number(13, 2), number(32, 2)).map((parts) => parts.join("-"));
const fraction = fc.oneof(fc.constant(""), fc.stringMatching(/^\.\d{1,10}$/));
const seconds = fc.oneof(
  fc.constant(""),
  fc.tuple(number(60, 2), fraction).map(([whole, part]) => `:${whole}${part}`),
);
const zone = fc.oneof(
  fc.constantFrom("", "Z", "z"),
  fc
    .tuple(fc.constantFrom("+", "-"), number(24, 2), fc.constantFrom("", ":"), number(60, 2))
    .map(([sign, hours, colon, minutes]) => `${sign}${hours}${minutes === "60" ? "" : `${colon}${minutes}`}`),
);
const timestamp = fc
  .tuple(day, fc.constantFrom("T", " "), number(24, 2), number(60, 2), seconds, zone)
  .map(
    ([date, between, hours, minutes, rest, offset]) => `${date}${between}${hours}:${minutes}${rest}${offset}`,
  );

it("are read as validation reads them, to the millisecond, and nothing else is a moment", async () => {
  const connection = await (await DuckDBInstance.create(":memory:", { threads: "1" })).connect();
  const texts = [
    ...ODDITIES,
    ...fc.sample(day, { numRuns: 1000, seed: 1 }),
    ...fc.sample(timestamp, { numRuns: 4000, seed: 2 }),
  ];
  const read = (type: "date" | "timestamp") => {
    const { value } = fromText({ name: "t", type, nullable: true }, "t", "t", false);
    return `epoch_us((${value})::TIMESTAMP)`;
  };
  const all = texts.map(quotedText).join(", ");
  const found = await connection.runAndReadAll(
    `SELECT t, ${read("date")} AS date, ${read("timestamp")} AS timestamp FROM unnest([${all}]) AS u(t)`,
  );
  const validated = found.getRowObjectsJS();
  connection.closeSync();
  expect(validated).toHaveLength(texts.length);
  /** Of microseconds, rounded down: these are more than a double holds. */
  const ms = (us: unknown) =>
    typeof us === "bigint" ? Number((us - (((us % 1000n) + 1000n) % 1000n)) / 1000n) : Number.NaN;
  for (const { t, date, timestamp } of validated) {
    expect([t, dayMs(String(t)), timestampMs(String(t))]).toEqual([t, ms(date), ms(timestamp)]);
  }
  // Neither way refuses everything.
  expect(validated.filter(({ timestamp }) => timestamp !== null).length).toBeGreaterThan(1000);
});
