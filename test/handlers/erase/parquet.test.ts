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
