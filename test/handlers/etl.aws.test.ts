import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** What the compaction asks Glue and Spark for, and under which names it finds the columns of a file with this header. */
async function compaction(format: string, header: readonly string[] = []) {
  const schema = { format, columns: [{ name: "id", type: "integer" }] };
  const { stdout } = await promisify(execFile)("python3", [
    path("support/run-compaction.py"),
    path("../../handlers/etl/compact.py"),
    JSON.stringify(schema),
    JSON.stringify(header),
  ]);
  return JSON.parse(stdout);
}

it("The compaction reads CSV as validation does: line ends may stand within quotes, and nothing is escaped", async () => {
  const { read, committed } = await compaction("csv");
  expect(read).toMatchObject({
    connection_options: { paths: ["s3://validated/data/"], recurse: true },
    format: "csv",
    format_options: { withHeader: true, separator: ",", quoteChar: '"', multiLine: true },
    // The bookmark's name: with another one everything would be read again.
    transformation_ctx: "accepted",
  });
  expect(read.format_options).not.toHaveProperty("escaper");
  expect(committed).toBe(true);
});

it("The compaction takes a moment without a zone for one in UTC, and writes days of every year", async () => {
  const { settings } = await compaction("jsonl");
  expect(settings).toEqual({
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
  });
});

it.each([
  ["\ufeffid", "`\ufeffid`"],
  ['\ufeff"id"', '`\ufeff"id"`'],
])("The compaction finds a column behind a byte order mark: %j", async (first, place) => {
  const { columns } = await compaction("csv", [first, "species"]);
  expect(columns).toEqual({ id: [place], species: ["`species`"] });
});

it("The compaction finds a column in files with and without a byte order mark", async () => {
  const { columns } = await compaction("csv", ["\ufeffid", "species", "id"]);
  expect(columns).toEqual({ id: ["`\ufeffid`", "`id`"], species: ["`species`"] });
});
