import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { validateApart } from "../../../src/ingestion/validator.ts";
import { crashingParquet, DELTA_COLUMNS } from "../../handlers/support/delta-parquet.ts";
import { rulesOf } from "../../handlers/support/validated-files.ts";

it("a file that the process which validates it dies of is quarantined", async () => {
  const folder = mkdtempSync(join(tmpdir(), "validator-"));
  try {
    const path = join(folder, "visits.parquet");
    writeFileSync(path, crashingParquet());
    const request = { path, rules: rulesOf("parquet", DELTA_COLUMNS), workFolder: join(folder, "work") };
    const { verdict } = await validateApart(request, new AbortController().signal);
    expect(verdict).toMatchObject({ outcome: "quarantined", reasons: [{ code: "unreadable" }] });
    expect(readdirSync(join(folder, "work"))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
