import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleHandlers } from "../../handlers/main.ts";
import { percentile, rounded } from "../figures.ts";

const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const STARTS = 5;

/** What a function does before its first event, but for what its settings are needed for. */
const LOAD = `
  const started = performance.now();
  try { require(process.argv[1]); } catch (error) { if (error.name !== "ConfigurationError") throw error; }
  process.stdout.write(String(performance.now() - started));`;

export interface FunctionFigures {
  readonly kilobytes: number;
  /** Median time in which Node loads the bundle, in milliseconds; Node's own start is not in it. */
  readonly loadMs: number;
}

/** Size and loading time of each function as it is deployed, with DuckDB beside it as its layer brings it. */
export async function functionFigures(folder: string): Promise<Readonly<Record<string, FunctionFigures>>> {
  const sizes = await bundleHandlers(folder);
  const figures = Object.entries(sizes).map(([name, bytes]) => {
    const bundle = join(folder, name, "index.js");
    const times = Array.from({ length: STARTS }, () =>
      Number(
        execFileSync(process.execPath, ["-e", LOAD, bundle], {
          env: { NODE_PATH: modules, AWS_REGION: "eu-west-1" },
          encoding: "utf8",
        }),
      ),
    );
    return [name, { kilobytes: rounded(bytes / 1024), loadMs: rounded(percentile(times, 50)) }] as const;
  });
  return Object.fromEntries(figures);
}
