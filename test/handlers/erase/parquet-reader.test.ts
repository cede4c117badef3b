import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { OutOfTime } from "../../../handlers/erase/limits.ts";
import type { ParquetAnswer } from "../../../handlers/erase/parquet.ts";
import { ParquetReader } from "../../../handlers/erase/parquet-reader.ts";
import { Unsearchable } from "../../../handlers/erase/records.ts";
import { askChild } from "../../../handlers/runtime/child-process.ts";
import { crashingParquet, deltaParquet } from "../support/delta-parquet.ts";

const folder = mkdtempSync(join(tmpdir(), "parquet-reader-"));
afterAll(() => rmSync(folder, { recursive: true }));

const search = { subject: [{ name: "email", type: "string", value: "user3@example.com" }] } as const;

function fileOf(content: Uint8Array): string {
  const file = join(mkdtempSync(join(folder, "object-")), "object");
  writeFileSync(file, content);
  return file;
}

const reader = (remainingMs = 890_000) =>
  new ParquetReader({ env: {}, memoryLimitMb: 200, remainingMs: () => remainingMs });

it("a subject's rows are found, and left out of the file that is written again", async () => {
  const file = fileOf(deltaParquet());
  const found = await reader().search(file, { ...search, recordIdentifier: "visit" });
  expect(found).toMatchObject({ rows: 8, found: 1, records: new Set(["3"]) });
  await reader().rewrite(file, search, `${file}.kept`);
  expect(await reader().search(`${file}.kept`, search)).toMatchObject({ rows: 7, found: 0 });
});

it("a file that its reader dies of can't be searched, nor be written again", async () => {
  const file = fileOf(crashingParquet());
  await expect(reader().search(file, search)).rejects.toThrow(Unsearchable);
  await expect(reader().rewrite(file, search, `${file}.kept`)).rejects.toThrow(/can't be decoded/);
});

it("what is no Parquet can't be searched", async () => {
  await expect(reader().search(fileOf(Buffer.from("a,b\n")), search)).rejects.toThrow(
    new Unsearchable("It is no whole Parquet file"),
  );
});

it("a file that the rest of an invocation is too short for is left to the next one", async () => {
  await expect(reader(0).search(fileOf(deltaParquet()), search)).rejects.toThrow(OutOfTime);
});

it("the function's bundle has the program beside it that its files are read by", async () => {
  const file = fileOf(deltaParquet());
  const env = { NODE_PATH: join(import.meta.dirname, "../../../node_modules") };
  // Outside of this package, whose modules are none of CommonJS.
  const program = join(folder, "child.js");
  copyFileSync(join(import.meta.dirname, "../../../build/handlers/functions/erase/child.js"), program);
  const answer = await askChild<ParquetAnswer>(
    program,
    { file, memoryLimitMb: 200, search },
    { env, folder, limitMs: 600_000 },
  );
  expect(answer).toMatchObject({ findings: { rows: 8, found: 1 } });
});
