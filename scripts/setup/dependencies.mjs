import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { withLock } from "./lock.mjs";
import { run } from "./processes.mjs";
import { say, startStep } from "./progress.mjs";
import { readRecord, removeRecord, writeRecord } from "./record.mjs";

/** @typedef {import("./processes.mjs").Environment} Environment */

const oldestHostNode = 18;

/**
 * Why set-up can't run on this machine, in words.
 * @param {{ nodeVersion: string, platform: string }} host
 * @returns {string | undefined}
 */
export function hostProblem({ nodeVersion, platform }) {
  if (platform === "win32") {
    return "Windows is not supported (the sandbox provider is started by a shell script): use WSL, https://learn.microsoft.com/windows/wsl/install";
  }
  const major = Number(nodeVersion.replace(/^v/, "").split(".")[0]);
  if (major >= oldestHostNode) return undefined;
  return `Node ${nodeVersion} is too old: install Node ${oldestHostNode} or newer from https://nodejs.org (Node 24, which the service runs on, is then installed into node_modules)`;
}

/**
 * @param {string} lockText the content of package-lock.json
 * @param {{ platform: string, arch: string }} host
 */
export function wantedInstall(lockText, { platform, arch }) {
  return { lockHash: createHash("sha256").update(lockText).digest("hex"), platform: `${platform}-${arch}` };
}

/**
 * Why `npm ci` has to run; undefined when node_modules is as wanted.
 * @param {{ lockHash: string, platform: string } | undefined} installed
 * @param {{ lockHash: string, platform: string }} wanted
 * @param {boolean} hasNode whether the package `node` has put its binary in place
 * @returns {string | undefined}
 */
export function installReason(installed, wanted, hasNode) {
  if (installed === undefined) return "node_modules is missing or incomplete";
  if (installed.platform !== wanted.platform) return `node_modules was made for ${installed.platform}`;
  if (installed.lockHash !== wanted.lockHash) return "package-lock.json has changed";
  if (!hasNode) return "Node is missing from node_modules";
  return undefined;
}

/**
 * The search path for npm: without node_modules/.bin, whose `node` disappears while npm replaces the folder.
 * @param {string} path
 * @param {string} binFolder
 * @param {string} nodeFolder where the running Node lies: an npm that came with it is found even if PATH lacks it
 */
export function npmPath(path, binFolder, nodeFolder) {
  const kept = path.split(delimiter).filter((folder) => folder !== binFolder);
  return [...kept, nodeFolder].join(delimiter);
}

/**
 * Brings node_modules to what package-lock.json says. Idempotent.
 * @param {string} root
 * @param {string} cache the folder that this machine's checkouts share
 * @param {Environment} env
 */
export async function ensureDependencies(root, cache, env) {
  const wanted = wantedInstall(readFileSync(join(root, "package-lock.json"), "utf8"), process);
  const binFolder = join(root, "node_modules", ".bin");
  const reason = () => installReason(readRecord(root), wanted, existsSync(join(binFolder, "node")));
  if (reason() === undefined) return;
  await withLock(
    join(cache, "locks", `${createHash("sha256").update(root).digest("hex").slice(0, 16)}.lock`),
    ({ pid }) => say(`waiting for another set-up of this folder (process ${pid})`),
    async (onStart) => {
      const why = reason();
      if (why !== undefined) await install({ root, binFolder, wanted, env, onStart }, why);
    },
  );
}

/**
 * @param {{ root: string, binFolder: string, wanted: ReturnType<typeof wantedInstall>, env: Environment,
 *   onStart: (pid: number) => void }} context
 * @param {string} why
 */
async function install({ root, binFolder, wanted, env, onStart }, why) {
  const step = startStep(`installing dependencies with npm ci: ${why}`);
  removeRecord(root);
  // Packages that ask for Node 22 warn when npm runs on an older one; they never run on it.
  const args = ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  const path = npmPath(env.PATH ?? "", binFolder, dirname(process.execPath));
  const { problem, output } = await run("npm", args, { cwd: root, env: { ...env, PATH: path }, onStart });
  if (problem !== undefined) {
    step.failed("the dependencies could not be installed");
    throw new Error(
      `${problem}${output && `:\n${output.trimEnd()}`}\nIs the npm registry reachable, and does package-lock.json fit package.json?`,
    );
  }
  const node = await run(join(binFolder, "node"), ["--version"], { env });
  if (node.problem !== undefined) {
    step.failed("Node was not installed");
    throw new Error(
      `The package "node" did not bring a Node that runs here (${node.problem}). If install scripts are switched off, allow those that package.json lists: npm config set ignore-scripts false --location=project. Machines without glibc (Alpine) are not supported.`,
    );
  }
  writeRecord(root, wanted);
  step.done(`dependencies and Node ${node.stdout.trim()} installed`);
}
