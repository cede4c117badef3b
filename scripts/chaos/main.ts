import { constants } from "node:os";
import { parseArgs } from "node:util";
import { type ViolationKind, violationKinds } from "./invariants/violation.ts";
import { type ChaosOutcome, runChaos } from "./run.ts";

const usage = `Kills what runs pipelines against the sandbox, and then checks that nothing is lost, doubled or left behind.

npm run chaos -- --kills 50 --faults 0.1 --seed 1
  --kills N     how many processes are killed (10)
  --faults F    share of the calls of AWS that are struck, from 0 to 1 (0.1)
  --seed N      decides what is asked, what is killed and when (drawn unless given)
  --json        the report on standard error, and one line of JSON as the last of standard output`;

const flags = readFlags();
if (typeof flags === "string") {
  process.stderr.write(`${flags}\n\n${usage}\n`);
  process.exitCode = 2;
} else if (flags.help) process.stdout.write(`${usage}\n`);
else process.exitCode = await main(flags);

interface Flags {
  readonly kills: number;
  readonly faults: number;
  readonly seed: number;
  readonly json: boolean;
  readonly help: boolean;
}

/** The flags, or what is wrong with them. */
function readFlags(): Flags | string {
  const options = {
    kills: { type: "string", default: "10" },
    faults: { type: "string", default: "0.1" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  } as const;
  try {
    const { values } = parseArgs({ options });
    const [kills, faults, seed] = [Number(values.kills), Number(values.faults), Number(values.seed)];
    if (!Number.isInteger(kills) || kills < 0) return `--kills ${values.kills}: a whole number from 0`;
    if (!(faults >= 0 && faults <= 1)) return `--faults ${values.faults}: a number from 0 to 1`;
    if (!Number.isSafeInteger(seed) || seed < 0) return `--seed ${values.seed}: a whole number from 0`;
    return { kills, faults, seed, json: values.json, help: values.help };
  } catch (error) {
    return (error as Error).message;
  }
}

async function main({ kills, faults, seed, json }: Flags): Promise<number> {
  const interruption = new AbortController();
  let interruptedBy: NodeJS.Signals | undefined;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      interruptedBy = signal;
      interruption.abort();
    });
  }
  const startedMs = performance.now();
  const print = (line: string) => {
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1).padStart(6);
    (json ? process.stderr : process.stdout).write(`${seconds} ${line}\n`);
  };
  print(`chaos: ${kills} kills, ${faults * 100} % faults, seed ${seed}`);
  try {
    const { signal } = interruption;
    // biome-ignore lint/style/noProcessEnv: the entry file reads the environment and hands it on
    const outcome = await runChaos({ kills, faults, seed, environment: process.env, signal, print });
    const counts = countsOf(outcome, kills);
    print(counts.ok ? "ok: every invariant holds" : `not ok: ${JSON.stringify(counts)}`);
    if (json) process.stdout.write(`${JSON.stringify(counts)}\n`);
    return counts.ok ? 0 : 1;
  } catch (error) {
    if (interruptedBy !== undefined) return 128 + constants.signals[interruptedBy];
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    if (json) process.stdout.write(`${JSON.stringify({ ok: false, error: (error as Error).message })}\n`);
    return 1;
  }
}

function countsOf({ kills, operations, violations }: ChaosOutcome, wanted: number) {
  const count = (kind: ViolationKind) => violations.filter((violation) => violation.kind === kind).length;
  const counts = Object.fromEntries(violationKinds.map((kind) => [kind, count(kind)])) as Record<
    ViolationKind,
    number
  >;
  return { kills, operations, ...counts, ok: violations.length === 0 && kills >= wanted };
}
