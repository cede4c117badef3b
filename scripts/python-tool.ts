import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withLock } from "./setup/lock.mjs";
import { run } from "./setup/processes.mjs";
import { say, startStep } from "./setup/progress.mjs";

export interface PythonTool {
  /** As PyPI and the cache call it; it can be imported by this name. */
  readonly name: string;
  /** For people, such as "the policy linter parliament". */
  readonly title: string;
  /** Every package with its version, what they need among them: pip looks for nothing else. */
  readonly requirements: URL;
  /** The oldest Python that all of them take. */
  readonly python: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Installs a tool into a virtual environment in the user's cache, once for each list of versions, and returns that
 * environment's Python. Idempotent; throws when there is no Python 3 or no package index.
 */
export async function ensurePythonTool(tool: PythonTool, env: Environment): Promise<string> {
  const cache = join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "aidlc");
  const digest = createHash("sha256").update(readFileSync(tool.requirements)).digest("hex").slice(0, 16);
  const place = join(cache, tool.name, digest);
  const python = join(place, "bin", "python");
  if (existsSync(python)) return python;
  await withLock(
    join(cache, "locks", `${tool.name}.lock`),
    ({ pid }) => say(`waiting for another set-up that installs ${tool.name} (process ${pid})`),
    async () => {
      if (!existsSync(python)) await install(tool, place, { ...env });
    },
  );
  return python;
}

/** Into a folder beside its place, so that whatever is found in the cache is complete. */
async function install(
  { name, title, requirements, python: oldest }: PythonTool,
  place: string,
  env: Record<string, string | undefined>,
): Promise<void> {
  const partial = `${place}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const python = join(partial, "bin", "python");
  const step = startStep(`installing ${title} with pip, once for this machine`);
  const list = fileURLToPath(requirements);
  const commands = [
    ["python3", "-m", "venv", partial],
    [python, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "-r", list],
    [python, "-W", "ignore", "-c", `import ${name}`],
  ];
  for (const [command = "", ...args] of commands) {
    const { problem, output } = await run(command, args, { env, timeoutMs: 5 * 60_000 });
    if (problem === undefined) continue;
    step.failed(`${name} could not be installed`);
    rmSync(partial, { recursive: true, force: true });
    throw new Error(
      `${problem}:\n${output.trimEnd()}\n${title} needs Python ${oldest} or newer with venv, and PyPI or a mirror of it.`,
    );
  }
  renameSync(partial, place);
  step.done(`${name} installed`);
}
