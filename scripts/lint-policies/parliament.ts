import { spawn } from "node:child_process";
import { once } from "node:events";
import { json as readJson } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { ensurePythonTool, type PythonTool } from "../python-tool.ts";

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

const parliament = {
  name: "parliament",
  title: "the policy linter parliament",
  requirements: new URL("requirements.txt", import.meta.url),
  python: "3.9",
} satisfies PythonTool;

/** Installs parliament where it isn't yet and returns its Python: see `ensurePythonTool`. */
export function ensureParliament(env: Environment): Promise<string> {
  return ensurePythonTool(parliament, env);
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
