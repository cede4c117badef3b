import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { validateData } from "../../../handlers/dataset/validate-data.ts";
import { flightRules } from "./rules.ts";

const [path = "", baselinePath = ""] = process.argv.slice(2);
const startedMs = performance.now();
const { verdict } = await validateData({
  data: { path },
  rules: flightRules(path.endsWith(".parquet") ? "parquet" : "csv"),
  baseline: { profile: JSON.parse(readFileSync(baselinePath, "utf8")), version: "bench" },
  workFolder: tmpdir(),
  now: new Date(),
});
const seconds = (performance.now() - startedMs) / 1000;
process.stdout.write(
  `${JSON.stringify({
    rows: verdict.rows,
    duplicates: verdict.duplicateRows,
    accepted: verdict.outcome === "accepted",
    sha256: verdict.sha256,
    drift: verdict.drift?.score,
    seconds,
    // In kB, of the whole process: DuckDB runs in it.
    peakBytes: process.resourceUsage().maxRSS * 1024,
  })}\n`,
);
