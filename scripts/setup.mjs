import { readFileSync } from "node:fs";
import { constants, homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureDependencies, hostProblem } from "./setup/dependencies.mjs";
import { ensureHandlers } from "./setup/handlers.mjs";
import { endAll, handOver } from "./setup/processes.mjs";
import { say } from "./setup/progress.mjs";
import { ensurePulumiCli, pinnedVersion } from "./setup/pulumi-cli.mjs";

/** @typedef {import("./setup/processes.mjs").Environment} Environment */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const interrupts = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/**
 * Sets up what this checkout needs, then runs the command in it. It exists besides npm's own scripts because a shell keeps
 * the place where it first found `node`: in `node a && node b` the second one would still be the host's.
 * @param {readonly string[]} command
 * @param {Environment} env
 * @returns {Promise<number>} the exit code
 */
async function main(command, env) {
  const problem = hostProblem({ nodeVersion: process.version, platform: process.platform });
  if (problem !== undefined) throw new Error(problem);
  const prepared = await prepare(env);
  if (command.length > 0) return handOver(command, prepared.env);
  say(`ready: dependencies, Node, Pulumi CLI ${prepared.version} (${prepared.cli})`);
  return 0;
}

/** @param {Environment} env */
async function prepare(env) {
  const cache = join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "aidlc");
  const version = pinnedVersion(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  for (const signal of interrupts) process.on(signal, stop);
  await ensureDependencies(root, cache, env);
  await ensureHandlers(root, cache, env);
  const cli = await ensurePulumiCli({ root, cache, version, env });
  for (const signal of interrupts) process.removeListener(signal, stop);
  const path = [join(root, "node_modules", ".bin"), dirname(cli), env.PATH].join(delimiter);
  return { cli, version, env: { ...env, PATH: path } };
}

/** @param {NodeJS.Signals} signal */
async function stop(signal) {
  say("interrupted");
  await endAll();
  process.exit(128 + constants.signals[signal]);
}

try {
  // biome-ignore lint/style/noProcessEnv: the entry file reads the environment and hands it on
  process.exitCode = await main(process.argv.slice(2), process.env);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
