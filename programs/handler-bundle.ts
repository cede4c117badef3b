import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import type { FunctionName } from "./functions/index.ts";

const BUILD = new URL("../build/handlers/", import.meta.url);
/** Of `@duckdb/node-api` in handlers/duckdb-layer. */
export const DUCKDB_VERSION = "1.5.6-r.1";

const REFUSAL = new URL("../handlers/refusal", import.meta.url);

/**
 * The code of a function, as `npm run build:handlers` bundled it from `handlers/<name>/index.ts`. A function whose handler this
 * release does not have refuses every event: queues keep what it was given, its alarm rings, and nothing counts as done.
 */
export function handlerBundle(name: FunctionName): pulumi.asset.Archive {
  const source = new URL(`../handlers/${name}/index.ts`, import.meta.url);
  if (!existsSync(source)) return new pulumi.asset.FileArchive(fileURLToPath(REFUSAL));
  return built(`functions/${name}`);
}

/** DuckDB with its native library for the functions' processor, at the place where Lambda looks for what a layer brings. */
export const dataLayer = (): pulumi.asset.Archive => built("layers/duckdb");

function built(path: string): pulumi.asset.Archive {
  const place = fileURLToPath(new URL(path, BUILD));
  if (!existsSync(place)) {
    throw new Error(`${place} is missing: the handlers are not built here (npm run build:handlers)`);
  }
  return new pulumi.asset.FileArchive(place);
}
