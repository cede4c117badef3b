import { statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startEngine } from "../../../handlers/dataset/engine.ts";
import { quotedText } from "../../../handlers/dataset/typed-columns.ts";
import { validateData } from "../../../handlers/dataset/validate-data.ts";
import { flightRules } from "./rules.ts";

/** 3 million real flights of 2001. */
export const FLIGHTS = fileURLToPath(
  new URL("../../../node_modules/vega-datasets/data/flights-3m.parquet", import.meta.url),
);
const ROWS = 3_000_000;

/**
 * Flights again and again until a file has its size, each time with other seconds and distances, so that no row comes back. Both formats
 * hold the same rows; Parquet plain, as it comes from tools that don't compress.
 */
async function write(path: string, rows: number): Promise<void> {
  const engine = await startEngine({ workFolder: tmpdir(), memoryLimitMb: 1000, threads: 2 });
  const isCsv = path.endsWith(".csv");
  const date = "date + to_seconds(CAST(r * 7919 + hash(origin, delay, r) % 60 AS BIGINT))";
  await engine.run(
    `COPY (
       SELECT ${isCsv ? `strftime(${date}, '%Y-%m-%dT%H:%M:%S')` : date} AS date, delay,
         round(distance + (hash(r, date, destination) % 1000) / 1000.0, 3)::DOUBLE AS distance, origin, destination
       FROM range(${Math.ceil(rows / ROWS)}) AS repeats(r), ${quotedText(FLIGHTS)} LIMIT ${rows}
     ) TO ${quotedText(path)} (${isCsv ? "FORMAT csv, HEADER true" : "FORMAT parquet, COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1"})`,
  );
  engine.close();
}

/** Writes files of this size in both formats, and the baseline that drift is measured against. Returns their paths. */
export async function writeFiles(folder: string, gigabytes: number): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const format of ["csv", "parquet"] as const) {
    const path = join(folder, `${gigabytes}.${format}`);
    await write(path, 300_000);
    await write(path, Math.round((gigabytes * 1e9) / (statSync(path).size / 300_000)));
    paths.push(path);
  }
  return paths;
}

export async function writeBaseline(path: string): Promise<void> {
  const { profile } = await validateData({
    data: { path: FLIGHTS },
    rules: flightRules("parquet"),
    workFolder: tmpdir(),
    now: new Date(),
  });
  writeFileSync(path, JSON.stringify(profile));
}
