import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startEngine } from "../../../handlers/dataset/engine.ts";
import type { Search } from "../../../handlers/erase/findings.ts";
import { withParquet } from "../../../handlers/erase/parquet.ts";
import { withClaimedStatistics } from "../support/parquet-statistics.ts";

const search: Search = {
  subject: [{ name: "email", type: "string", value: "ada@example.com" }],
  columns: ["email", "visit"],
  recordIdentifier: "visit",
  inferences: new Set(),
};

const MOMENT = "2026-01-01T10:00:00.123456Z";

it.each([
  ["TIMESTAMP", ["2026-01-01 10:00:00.123456"], ["2026-01-01 10:00:00.123457"]],
  [
    "VARCHAR",
    ["2026-01-01T15:00:00.123456+05", "2026-01-01 08:00:00.1234567-0200", "2026-01-01 10:00:00.123456"],
    ["2026-01-01T10:00:00.123456+05"],
  ],
])("A subject's moments are found in a Parquet file that has them as %s", async (type, its, others) => {
  const folder = await mkdtemp(join(tmpdir(), "erase-"));
  try {
    const path = join(folder, "moments.parquet");
    const engine = await startEngine({ workFolder: folder, memoryLimitMb: 200, threads: 1 });
    const values = [...its, ...others].map((text) => `'${text}'::${type}`);
    await engine.run(`COPY (SELECT unnest([${values}]) AS at) TO '${path}' (FORMAT parquet)`);
    engine.close();
    const subject = [{ name: "at", type: "timestamp", value: MOMENT }] as const;
    const found = await withParquet(path, 200, (parquet) => parquet.search({ ...search, subject }));
    expect(found).toMatchObject({ rows: values.length, found: its.length });
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("A subject's records are found in a Parquet file whose statistics claim that it has none of them", async () => {
  const folder = await mkdtemp(join(tmpdir(), "erase-"));
  try {
    const path = join(folder, "visits.parquet");
    const engine = await startEngine({ workFolder: folder, memoryLimitMb: 200, threads: 1 });
    await engine.run(
      `COPY (SELECT if(range = 3, 'ada@example.com', 'bob@example.com') AS email, range AS visit FROM range(100))
       TO '${path}' (FORMAT parquet)`,
    );
    engine.close();
    await writeFile(
      path,
      withClaimedStatistics(
        await readFile(path),
        Buffer.from("ada@example.com"),
        Buffer.from("bob@example.com"),
      ),
    );
    const found = await withParquet(path, 200, (parquet) => parquet.search(search));
    expect(found).toMatchObject({ rows: 100, found: 1, records: new Set(["3"]) });
  } finally {
    await rm(folder, { recursive: true });
  }
});
