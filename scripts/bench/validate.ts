import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { arch, cpus, tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ensurePythonTool } from "../python-tool.ts";
import { rounded } from "./figures.ts";
import { functionFigures } from "./validate/cold-start.ts";
import { FLIGHTS, writeBaseline, writeFiles } from "./validate/files.ts";

const run = promisify(execFile);
const beside = (path: string) => fileURLToPath(new URL(`./validate/${path}`, import.meta.url));

/** Speed is how many times as many rows a second; memory is which share of the peak. */
const targets = { speedRatio: 3, memoryRatio: 1 / 3, memoryGrowth: 1.2 };

interface Outcome {
  readonly rows: number;
  readonly duplicates: number;
  readonly accepted: boolean;
  readonly sha256: string;
  readonly seconds: number;
  readonly peakBytes: number;
}

interface Comparison {
  readonly file: string;
  readonly rows: number;
  readonly ours: { readonly rowsPerSecond: number; readonly peakMb: number };
  readonly pandas: { readonly rowsPerSecond: number; readonly peakMb: number };
  readonly speedRatio: number;
  readonly memoryRatio: number;
}

/**
 * The core of validate against pandas with pandera: the same checks on the same files, one process each, in turns, because machines are
 * noisy. Time is that of the work, without the start of Node or Python; memory is the peak of the whole process. Besides, the size of
 * each function and the time in which Node loads it.
 */
export async function benchValidate(
  env: NodeJS.ProcessEnv,
  print: (line: string) => void,
  { quick }: { readonly quick: boolean },
) {
  const python = await ensurePythonTool(
    {
      name: "pandera",
      title: "pandas and pandera",
      requirements: new URL("./validate/requirements.txt", import.meta.url),
      python: "3.11",
    },
    env,
  );
  const folder = mkdtempSync(join(env.AIDLC_BENCH_FOLDER ?? tmpdir(), "bench-validate-"));
  try {
    const baselines = { ours: join(folder, "baseline.json"), pandas: join(folder, "pandas.json") };
    await writeBaseline(baselines.ours);
    await run(python, [beside("contender.py"), "baseline", FLIGHTS, baselines.pandas]);
    const contenders = {
      ours: (file: string) => outcome(process.execPath, [beside("ours.ts"), file, baselines.ours]),
      pandas: (file: string) =>
        outcome(python, ["-W", "ignore", beside("contender.py"), file, baselines.pandas]),
    };
    const comparisons: Comparison[] = [];
    for (const gigabytes of quick ? [0.05, 0.2] : [0.2, 1, 3]) {
      for (const file of await writeFiles(folder, gigabytes)) {
        comparisons.push(await compare(file, contenders, gigabytes > 1 ? 1 : 2, print));
        rmSync(file);
      }
    }
    const functions = await functionFigures(join(folder, "functions"));
    for (const [name, { kilobytes, loadMs }] of Object.entries(functions)) {
      print(`${name.padEnd(18)} ${String(kilobytes).padStart(6)} KiB, loaded in ${loadMs} ms`);
    }
    const speedRatio = rounded(Math.min(...comparisons.map((one) => one.speedRatio)));
    const memoryRatio = rounded(Math.max(...comparisons.map((one) => one.memoryRatio)));
    const memoryGrowth = rounded(Math.max(...growths(comparisons)));
    print(
      `speed ${speedRatio} times (at least ${targets.speedRatio}), memory ${memoryRatio} (at most ${rounded(targets.memoryRatio)}),`,
    );
    print(
      `memory grows by ${memoryGrowth} from the second largest file to the largest (at most ${targets.memoryGrowth})`,
    );
    const machine = { node: process.version, arch: arch(), cpus: cpus().length };
    return { machine, comparisons, functions, targets, speedRatio, memoryRatio, memoryGrowth };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function outcome(command: string, args: readonly string[]): Promise<Outcome> {
  const { stdout } = await run(command, args, { maxBuffer: 1 << 24 });
  return JSON.parse(stdout);
}

async function compare(
  file: string,
  contenders: Readonly<Record<"ours" | "pandas", (file: string) => Promise<Outcome>>>,
  rounds: number,
  print: (line: string) => void,
): Promise<Comparison> {
  const ours: Outcome[] = [];
  const pandas: Outcome[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await contenders.ours(file));
    pandas.push(await contenders.pandas(file));
  }
  const [one, other] = [best(ours), best(pandas)];
  const said = ({ rows, duplicates, accepted, sha256 }: Outcome) =>
    JSON.stringify([rows, duplicates, accepted, sha256]);
  if (said(one) !== said(other) || !one.accepted) {
    throw new Error(`The contenders disagree about ${file}: ${said(one)}, pandas ${said(other)}`);
  }
  const comparison = {
    file: file.slice(file.lastIndexOf("/") + 1),
    rows: one.rows,
    ours: figures(one),
    pandas: figures(other),
    speedRatio: rounded(other.seconds / one.seconds),
    memoryRatio: rounded(one.peakBytes / other.peakBytes),
  };
  print(
    `${comparison.file.padEnd(12)} ${comparison.rows} rows: ${comparison.ours.rowsPerSecond} rows/s in ${comparison.ours.peakMb} MB, ` +
      `pandas ${comparison.pandas.rowsPerSecond} in ${comparison.pandas.peakMb} MB: ${comparison.speedRatio} times, ${comparison.memoryRatio} of the memory`,
  );
  return comparison;
}

/** The fastest run with the highest peak. */
function best(outcomes: readonly Outcome[]): Outcome {
  const fastest = outcomes.reduce((one, other) => (other.seconds < one.seconds ? other : one));
  return { ...fastest, peakBytes: Math.max(...outcomes.map(({ peakBytes }) => peakBytes)) };
}

const figures = ({ rows, seconds, peakBytes }: Outcome) => ({
  rowsPerSecond: Math.round(rows / seconds),
  peakMb: Math.round(peakBytes / 1e6),
});

/** Of each format, the largest file's peak by the second largest's. */
function growths(comparisons: readonly Comparison[]): number[] {
  return [".csv", ".parquet"].map((format) => {
    const peaks = comparisons.filter(({ file }) => extname(file) === format).map(({ ours }) => ours.peakMb);
    return (peaks.at(-1) ?? 0) / (peaks.at(-2) ?? 1);
  });
}
