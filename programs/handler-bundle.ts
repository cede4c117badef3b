import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import type { FunctionName } from "./functions/index.ts";

const BUILD = new URL("../build/handlers/", import.meta.url);
/** Of `@duckdb/node-api` in handlers/duckdb-layer. */
export const DUCKDB_VERSION = "1.5.6-r.1";

/** The code of a function, as `npm run build:handlers` bundled it from `handlers/<name>/index.ts`. */
export const handlerBundle = (name: FunctionName): pulumi.asset.Archive => built(`functions/${name}`);

/** A program of a processing job, bundled from `job.ts` or `child.ts` in `handlers/<name>/`. */
export const jobBundle = (name: FunctionName, file: string): pulumi.asset.Asset =>
  new pulumi.asset.FileAsset(builtPath(`jobs/${name}/${file}`));

/** DuckDB with its native library for the functions' processor, at the place where Lambda looks for what a layer brings. */
export const dataLayer = (): pulumi.asset.Archive => built("layers/duckdb");

const built = (path: string) => new pulumi.asset.FileArchive(builtPath(path));

function builtPath(path: string): string {
  const place = fileURLToPath(new URL(path, BUILD));
  if (!existsSync(place)) {
    throw new Error(`${place} is missing: the handlers are not built here (npm run build:handlers)`);
  }
  return place;
}
