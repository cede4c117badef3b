import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { json as readJson } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { withLock } from "../setup/lock.mjs";
import { run } from "../setup/processes.mjs";
import { say, startStep } from "../setup/progress.mjs";

const requirements = fileURLToPath(new URL("requirements.txt", import.meta.url));
const script = fileURLToPath(new URL("lint.py", import.meta.url));

/** What parliament says of one place in one document. */
export interface RawFinding {
  readonly issue: string;
  readonly severity: "MUTE" | "INFO" | "LOW" | "MEDIUM" | "HIGH" | "CRITICAL";
  readonly title: string;
  readonly detail: string;
  /** Counted from 1; null where it concerns the whole document. */
  readonly line: number | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Installs parliament into a virtual environment below `cache`, once for each list of versions, and returns its Python.
 * Idempotent; throws when there is no Python 3 or no package index.
 */
export async function ensureParliament(cache: string, env: Environment): Promise<string> {
  const digest = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 16);
  const place = join(cache, "parliament", digest);
  const python = join(place, "bin", "python");
  if (existsSync(python)) return python;
  await withLock(
    join(cache, "locks", "parliament.lock"),
    ({ pid }) => say(`waiting for another set-up that installs parliament (process ${pid})`),
    async () => {
      if (!existsSync(python)) await install(place, { ...env });
    },
  );
  return python;
}

/** Into a folder beside its place, so that whatever is found in the cache is complete. */
async function install(place: string, env: Record<string, string | undefined>): Promise<void> {
  const partial = `${place}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const python = join(partial, "bin", "python");
  const step = startStep("installing the policy linter parliament with pip, once for this machine");
  const commands = [
    ["python3", "-m", "venv", partial],
    [python, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "-r", requirements],
    [python, "-W", "ignore", "-c", "import parliament"],
  ];
  for (const [command = "", ...args] of commands) {
    const { problem, output } = await run(command, args, { env, timeoutMs: 5 * 60_000 });
    if (problem === undefined) continue;
    step.failed("parliament could not be installed");
    rmSync(partial, { recursive: true, force: true });
    throw new Error(
      `${problem}:\n${output.trimEnd()}\nThe linter needs Python 3.9 or newer with venv, and PyPI or a mirror of it.`,
    );
  }
  renameSync(partial, place);
  step.done("parliament installed");
}

/** The findings of each document, in their order. */
export async function lintDocuments(
  python: string,
  documents: readonly string[],
  env: Environment,
): Promise<readonly (readonly RawFinding[])[]> {
  const child = spawn(python, ["-W", "ignore", script], { stdio: ["pipe", "pipe", "inherit"], env });
  child.stdin.end(JSON.stringify(documents));
  const [findings, [code]] = await Promise.all([readJson(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`parliament ended with ${code}`);
  return findings as readonly (readonly RawFinding[])[];
}
