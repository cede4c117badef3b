import { spawn } from "node:child_process";
import { constants } from "node:os";

/** @typedef {Record<string, string | undefined>} Environment */
/** @typedef {{ code: number | undefined, output: string, stdout: string, problem: string | undefined }} Outcome */

const keptCharacters = 8_000;
/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();
let ending = false;

/**
 * Runs a program in a process group of its own and collects what it prints (the last part of it). Never rejects: `problem`
 * says in words why it did not end with 0.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env: Environment, timeoutMs?: number, onStart?: (pid: number) => void }} options
 * @returns {Promise<Outcome>}
 */
export function run(command, args, { cwd, env, timeoutMs, onStart }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    if (child.pid !== undefined) onStart?.(child.pid);
    let output = "";
    let stdout = "";
    let timedOut = false;
    child.stdout.on("data", (chunk) => {
      stdout = (stdout + chunk).slice(-keptCharacters);
      output = (output + chunk).slice(-keptCharacters);
    });
    child.stderr.on("data", (chunk) => {
      output = (output + chunk).slice(-keptCharacters);
    });
    const timer = setTimeout(
      () => {
        timedOut = true;
        signalGroup(child, "SIGKILL");
      },
      timeoutMs ?? 2 ** 31 - 1,
    );
    /** @param {number | undefined} code @param {string | undefined} problem */
    const finish = (code, problem) => {
      clearTimeout(timer);
      running.delete(child);
      // Whoever waits would take the killed step for a failed one and try the next.
      if (!ending) resolve({ code, output, stdout, problem });
    };
    child.once("error", (error) => {
      finish(
        undefined,
        "code" in error && error.code === "ENOENT" ? `${command} was not found` : error.message,
      );
    });
    child.once("close", (code, signal) => {
      if (timedOut) finish(undefined, `${command} gave no result within ${(timeoutMs ?? 0) / 1_000} s`);
      else if (code === 0) finish(0, undefined);
      else finish(code ?? undefined, `${command} ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

/** Ends everything that `run` has started, with everything that those have started. */
export async function endAll() {
  ending = true;
  const children = [...running];
  for (const child of children) signalGroup(child, "SIGTERM");
  const killer = setTimeout(() => {
    for (const child of children) signalGroup(child, "SIGKILL");
  }, 3_000);
  await Promise.all(children.map((child) => new Promise((resolve) => child.once("close", resolve))));
  clearTimeout(killer);
}

/**
 * Hands the terminal over to a command: its input and output are ours, signals reach it, and its exit code is returned
 * (128 + n where signal n ended it, as shells do).
 * @param {readonly string[]} commandLine
 * @param {Environment} env
 * @returns {Promise<number>}
 */
export function handOver([command = "", ...args], env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: "inherit" });
    const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
    for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"])) {
      process.on(signal, () => {
        // A terminal sends its Ctrl-C to the command as well; a second one would read as "stop at once".
        if (signal !== "SIGINT" || !onTerminal) child.kill(signal);
      });
    }
    child.once("error", (error) => {
      const missing = "code" in error && error.code === "ENOENT";
      reject(missing ? new Error(`The command ${command} was not found`) : error);
    });
    child.once("close", (code, signal) =>
      resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]),
    );
  });
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function signalGroup(child, signal) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has ended by itself.
  }
}
