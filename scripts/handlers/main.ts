import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A folder with an `index.ts` is a function; the others are what functions share. */
export const handlerNames = (): string[] =>
  readdirSync(join(root, "handlers"), { recursive: true, encoding: "utf8" })
    .map((path) => /^([a-z-]+)\/index\.ts$/.exec(path)?.[1])
    .filter((name) => name !== undefined)
    .sort();

/**
 * Bundles each function into one CommonJS file: Node looks for what a Lambda layer brings only there. Returns the size of each
 * bundle in bytes. The same sources give the same bytes, so that a pipeline's preview names only functions that changed.
 */
export async function bundleHandlers(outputFolder: string): Promise<Readonly<Record<string, number>>> {
  const { outputs } = await bundle(handlerNames(), "index", outputFolder);
  const sizes = Object.entries(outputs).map(([file, { bytes }]) => [file.split("/").at(-2), bytes]);
  return Object.fromEntries(sizes);
}

/** The same for programs of processing jobs: functions that hand work over have a `job.ts`, and their images Node and DuckDB. */
export async function bundleJobs(outputFolder: string): Promise<void> {
  const names = handlerNames().filter((name) => existsSync(join(root, "handlers", name, "job.ts")));
  await bundle(names, "job", outputFolder);
}

async function bundle(names: readonly string[], entry: "index" | "job", outputFolder: string) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: names.map((name) => ({ in: `handlers/${name}/${entry}.ts`, out: `${name}/${entry}` })),
    outdir: outputFolder,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    minify: true,
    keepNames: true,
    legalComments: "none",
    external: ["@duckdb/*"],
    metafile: true,
    logLevel: "warning",
  });
  return metafile;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sizes = await bundleHandlers(join(root, "build", "handlers", "functions"));
  await bundleJobs(join(root, "build", "handlers", "jobs"));
  for (const [name, bytes] of Object.entries(sizes)) {
    process.stdout.write(`${name.padEnd(20)}${(bytes / 1024).toFixed(0).padStart(8)} KiB\n`);
  }
}
