import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Engine, startEngine } from "../../../handlers/dataset/engine.ts";
import { acceptedRows, type DatasetSchema } from "../../../handlers/features/accepted-file.ts";

const COLUMNS = [
  { name: "a, b", type: "string", nullable: true },
  { name: "n", type: "integer", nullable: true },
  { name: "at", type: "timestamp", nullable: true },
] as DatasetSchema["columns"];

let folder: string;
let engine: Engine;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "accepted-test-"));
  engine = await startEngine({ workFolder: folder, memoryLimitMb: 512, threads: 1 });
});
afterEach(async () => {
  engine.close();
  await rm(folder, { recursive: true });
});

async function rowsOf(format: "csv" | "jsonl", content: string, columns = COLUMNS) {
  const path = join(folder, "file");
  await writeFile(path, content);
  const rows = await acceptedRows(engine, path, { format, columns });
  return engine.rows(`SELECT * REPLACE (epoch_ms("at") AS "at") FROM (${rows})`);
}

const NOON = BigInt(Date.parse("2024-06-01T12:00:00Z"));

it.each([
  ["with LF", "\n", ""],
  ["with CRLF", "\r\n", ""],
  ["with a byte order mark", "\n", "\ufeff"],
])("an accepted CSV file is read as it stands: %s", async (_, end, mark) => {
  const lines = [
    `n,"a, b",at`,
    `1,x,`,
    `2,# no comment,2024-06-01T14:00:00+02:00`,
    `9007199254740993," ""quoted""",2024-06-01T12:00:00Z`,
    `1e3,"two${end}lines",2024-06-01T12:00`,
    `,,`,
  ];
  expect(await rowsOf("csv", mark + lines.join(end))).toEqual([
    { "a, b": "x", n: 1n, at: null },
    { "a, b": "# no comment", n: 2n, at: NOON },
    { "a, b": ' "quoted"', n: 9007199254740993n, at: NOON },
    { "a, b": `two${end}lines`, n: 1000n, at: NOON },
    { "a, b": null, n: null, at: null },
  ]);
});

it("an accepted CSV file may mix its line ends, and keeps those within quotes", async () => {
  const content = 'n,"a, b",at\n1,"x\r\ny",\r\n2,z,2024-06-01T12:00:00Z\n3,"\r",\r\n';
  expect(await rowsOf("csv", content)).toEqual([
    { "a, b": "x\r\ny", n: 1n, at: null },
    { "a, b": "z", n: 2n, at: NOON },
    { "a, b": "\r", n: 3n, at: null },
  ]);
});

it("a CSV file whose first field looks like a comment loses no row", async () => {
  const columns = [
    { name: "a", type: "string", nullable: false },
    { name: "at", type: "timestamp", nullable: true },
  ] as DatasetSchema["columns"];
  expect(await rowsOf("csv", "a,at\n#1,\na,\n# x,\n", columns)).toHaveLength(3);
});

it("accepted JSON lines are read as they stand", async () => {
  const lines = [
    { n: 1, at: "2024-06-01T14:00:00+02:00", "a, b": "1" },
    { "a, b": "", n: 9007199254740000 },
    { "a, b": null, n: null },
  ];
  expect(await rowsOf("jsonl", lines.map((line) => JSON.stringify(line)).join("\n"))).toEqual([
    { "a, b": "1", n: 1n, at: NOON },
    { "a, b": "", n: 9007199254740000n, at: null },
    { "a, b": null, n: null, at: null },
  ]);
});
