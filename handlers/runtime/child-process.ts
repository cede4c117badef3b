import { fork } from "node:child_process";
import { basename, dirname, extname, join } from "node:path";
import type { Environment } from "./environment.ts";

/** How a process ends itself whose memory is not what it must be. On arm64, compilers trap with SIGTRAP where others have SIGILL. */
const CRASHES: ReadonlySet<string | null> = new Set([
  "SIGSEGV",
  "SIGABRT",
  "SIGBUS",
  "SIGILL",
  "SIGFPE",
  "SIGTRAP",
]);

/** Where Lambda's layers and the jobs' image have libraries. Nothing else of an environment is a child's business. */
const LIBRARIES = ["NODE_PATH", "LD_LIBRARY_PATH"] as const;

/** The child died of what it was given to read. */
export class ChildCrashed extends Error {
  override readonly name = "ChildCrashed";
}

/** The child was killed, for its time was up. */
export class ChildTooSlow extends Error {
  override readonly name = "ChildTooSlow";
}

export interface ChildOptions {
  readonly env: Environment;
  /** The child's home. Whoever asks removes what a child that was killed leaves there. */
  readonly folder: string;
  readonly limitMs: number;
  /** Kills the child. */
  readonly signal?: AbortSignal;
}

/** The program `child` that is built beside a module: as TypeScript beside its source, or bundled beside its bundle. */
export const childBeside = (module: string): string => join(dirname(module), `child${extname(module)}`);

/**
 * Has a program of `answerParent` answer a request, in a process of its own without credentials, and waits until that has ended. Throws
 * `ChildCrashed`, `ChildTooSlow`, what aborted the signal, and what the child's work threw, or that it ended otherwise: killed for want of
 * memory, for instance. Those can be tried again.
 */
export function askChild<Answer>(
  program: string,
  request: unknown,
  { env, folder, limitMs, signal }: ChildOptions,
): Promise<Answer> {
  const limit = AbortSignal.timeout(Math.max(1, limitMs));
  const libraries = LIBRARIES.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
  return new Promise((resolve, reject) => {
    const child = fork(program, {
      execArgv: [],
      env: { ...Object.fromEntries(libraries), HOME: folder, TMPDIR: folder },
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      killSignal: "SIGKILL",
    });
    let told: Told<Answer> | undefined;
    child.once("message", (message: Told<Answer>) => {
      told = message;
    });
    child.once("error", (error) => {
      // Of a child that was begun the end is told as well.
      if (child.pid === undefined) reject(error);
    });
    child.once("close", (code, killedBy) => {
      if (told !== undefined && "answer" in told) resolve(told.answer);
      else if (told !== undefined) reject(Object.assign(new Error(told.failure.message), told.failure));
      else if (signal?.aborted) reject(signal.reason);
      else if (limit.aborted) reject(new ChildTooSlow(`No answer after ${limitMs} ms`));
      else if (CRASHES.has(killedBy)) reject(new ChildCrashed(`A process ended with ${killedBy}`));
      else reject(new Error(`${basename(program)} ended with ${killedBy ?? code} and without an answer`));
    });
    // A child that is gone already can't be told: its end is.
    child.send(request as object, () => {});
  });
}

type Told<Answer> =
  | { readonly answer: Answer }
  | { readonly failure: { readonly message: string; readonly stack: string | undefined } };

/** The other side: answers the one request of this process's parent. */
export function answerParent<Request, Answer>(work: (request: Request) => Promise<Answer>): void {
  // Nobody waits for the answer any more. A library's own threads could keep a milder end waiting.
  const dieWithParent = () => process.kill(process.pid, "SIGKILL");
  process.once("disconnect", dieWithParent);
  process.once("message", async (request: Request) => {
    const told = await work(request).then(
      (answer): Told<Answer> => ({ answer }),
      ({ message, stack }: Error): Told<Answer> => ({ failure: { message, stack } }),
    );
    process.send?.(told, () => {
      process.off("disconnect", dieWithParent);
      process.disconnect();
    });
  });
}
