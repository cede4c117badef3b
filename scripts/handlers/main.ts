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
 * Bundles each function into a CommonJS file, and what it has read by another process into one beside it: Node looks for what a Lambda
 * layer brings only there. Returns the size of each function in bytes. The same sources give the same bytes, so that a pipeline's preview names only functions that changed.
 */
export async function bundleHandlers(outputFolder: string): Promise<Readonly<Record<string, number>>> {
  const { outputs } = await bundle(handlerNames(), "index", outputFolder);
  const sizes: Record<string, number> = {};
  for (const [file, { bytes }] of Object.entries(outputs)) {
    const name = file.split("/").at(-2) ?? "";
    sizes[name] = (sizes[name] ?? 0) + bytes;
  }
  return sizes;
}

/** The same for programs of processing jobs: functions that hand work over have a `job.ts`, and their images Node and DuckDB. */
export async function bundleJobs(outputFolder: string): Promise<void> {
  await bundle(
    handlerNames().filter((name) => hasSource(name, "job")),
    "job",
    outputFolder,
  );
}

const hasSource = (name: string, entry: string) => existsSync(join(root, "handlers", name, `${entry}.ts`));

async function bundle(names: readonly string[], entry: "index" | "job", outputFolder: string) {
  const programs = names.flatMap((name) =>
    [entry, "child"].filter((program) => hasSource(name, program)).map((program) => `${name}/${program}`),
  );
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: programs.map((program) => ({ in: `handlers/${program}.ts`, out: program })),
    outdir: outputFolder,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    minify: true,
    keepNames: true,
    legalComments: "none",
    external: ["@duckdb/*"],
    // By which a bundle finds the program beside it: CommonJS has no `import.meta`.
    define: { "import.meta.filename": "__filename" },
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
