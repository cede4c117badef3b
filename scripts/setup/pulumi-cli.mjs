import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { withLock } from "./lock.mjs";
import { run } from "./processes.mjs";
import { say, startStep } from "./progress.mjs";
import { readRecord, writeRecord } from "./record.mjs";

/** @typedef {import("./processes.mjs").Environment} Environment */
/** @typedef {{ root: string, cache: string, version: string, env: Environment }} Context */
/** @typedef {{ source: string, result: string }} Attempt */

const goPackage = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
// The official archive has about 150 MB; a slow line must get there, one that hangs must not block the way to Go.
const downloadTimeoutMs = 10 * 60_000;
// From cold caches it takes 3 to 4 minutes on 2 cores.
const buildTimeoutMs = 40 * 60_000;
const partialPrefix = ".partial-";

/**
 * The CLI must have exactly the SDK's version: the SDK accepts any newer one, but the engine's behaviour that we rely on
 * was measured on this one.
 * @param {{ dependencies?: Record<string, string> }} manifest the content of package.json
 */
export function pinnedVersion(manifest) {
  const version = manifest.dependencies?.["@pulumi/pulumi"];
  if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(`package.json must name one exact version of @pulumi/pulumi, not "${version}"`);
  }
  return version;
}

/**
 * What `pulumi version` says, without the "v" of official builds.
 * @param {string} output
 * @returns {string | undefined}
 */
export function reportedVersion(output) {
  return output.match(/^v?(\d+\.\d+\.\d+\S*)$/m)?.[1];
}

/**
 * @param {string} path the value of PATH
 * @returns {string[]}
 */
export function candidatesOn(path) {
  const folders = new Set(path.split(delimiter).filter((folder) => isAbsolute(folder)));
  return [...folders].map((folder) => join(folder, "pulumi"));
}

/**
 * @param {string} cache
 * @param {string} version
 */
export function cachedCli(cache, version) {
  return join(cache, "pulumi", version, "bin", "pulumi");
}

/**
 * @param {string} version
 * @param {readonly Attempt[]} attempts
 * @param {string} cached
 */
export function unavailableMessage(version, attempts, cached) {
  return [
    `The Pulumi CLI ${version} can't be had. Tried:`,
    ...attempts.map(({ source, result }) => `  ${source}: ${result}`),
    "Any one of these helps:",
    `  install Pulumi ${version} and put it on PATH (https://www.pulumi.com/docs/install/)`,
    "  allow access to https://get.pulumi.com and https://github.com, from which it is downloaded",
    "  install Go 1.25 or newer (https://go.dev/dl/), with which it is built; that needs a Go module proxy",
    `  put the binary at ${cached}`,
  ].join("\n");
}

/**
 * Finds, downloads or builds the Pulumi CLI of exactly this version. Idempotent.
 * @param {Context} context
 * @returns {Promise<string>} the path of the binary
 */
export async function ensurePulumiCli(context) {
  const { cache, version } = context;
  const cached = cachedCli(cache, version);
  const onPath = await findOnPath(context, cached);
  if (onPath.found !== undefined) return onPath.found;
  if (isExecutable(cached)) return cached;
  return withLock(
    join(cache, "locks", `pulumi-${version}.lock`),
    ({ pid }) => say(`waiting for another set-up that gets the Pulumi CLI (process ${pid})`),
    async () => {
      if (!isExecutable(cached)) await obtain(context, cached, onPath.attempt);
      return cached;
    },
  );
}

/**
 * @param {Context} context
 * @param {string} cached
 * @returns {Promise<{ found: string | undefined, attempt: Attempt }>}
 */
async function findOnPath({ root, version, env }, cached) {
  const refused = [];
  for (const candidate of candidatesOn(env.PATH ?? "")) {
    if (!isExecutable(candidate)) continue;
    if (candidate === cached) return { found: cached, attempt: { source: "PATH", result: version } };
    const found = await knownVersionOf(root, candidate, env);
    if (found === version) return { found: candidate, attempt: { source: "PATH", result: version } };
    refused.push(`${candidate} has version ${found}`);
  }
  return { found: undefined, attempt: { source: "PATH", result: refused.join(", ") || "no pulumi there" } };
}

/**
 * @param {Context} context
 * @param {string} cached
 * @param {Attempt} onPath
 */
async function obtain(context, cached, onPath) {
  const attempts = [onPath, { source: "cache", result: `${cached} is missing` }];
  for (const { source, get } of [
    { source: "download", get: download },
    { source: "go build", get: build },
  ]) {
    const problem = await install(context, cached, get);
    if (problem === undefined) return;
    attempts.push({ source, result: problem });
  }
  throw new Error(unavailableMessage(context.version, attempts, cached));
}

/**
 * Gets the CLI into a folder beside its place and moves it there when it has answered with the right version: whatever is
 * found in the cache is complete.
 * @param {Context} context
 * @param {string} cached
 * @param {(context: Context, folder: string) => Promise<string | undefined>} get
 * @returns {Promise<string | undefined>} the problem
 */
async function install(context, cached, get) {
  const place = dirname(dirname(cached));
  removePartial(dirname(place));
  const partial = join(dirname(place), `${partialPrefix}${context.version}-${process.pid}`);
  const clean = () => rmSync(partial, { recursive: true, force: true });
  process.once("exit", clean);
  try {
    mkdirSync(join(partial, "bin"), { recursive: true });
    const problem = await get(context, partial);
    if (problem !== undefined) return problem;
    const version = await versionOf(join(partial, "bin", "pulumi"), context.env);
    if (version !== context.version) return `it brought version ${version}`;
    rmSync(place, { recursive: true, force: true });
    renameSync(partial, place);
    return undefined;
  } finally {
    process.removeListener("exit", clean);
    clean();
  }
}

/**
 * @param {Context} context
 * @param {string} folder
 * @returns {Promise<string | undefined>}
 */
async function download({ root, version, env }, folder) {
  const step = startStep(`downloading the Pulumi CLI ${version} from get.pulumi.com`);
  const script = join(root, "scripts", "setup", "download-pulumi.mjs");
  const node = join(root, "node_modules", ".bin", "node");
  const { problem, output } = await run(node, [script, folder], {
    cwd: root,
    env,
    timeoutMs: downloadTimeoutMs,
  });
  if (problem === undefined) {
    step.done(`Pulumi CLI ${version} downloaded`);
    return undefined;
  }
  step.failed("no download of the Pulumi CLI from here");
  return output.trim().split("\n").at(-1) || problem;
}

/**
 * @param {Context} context
 * @param {string} folder
 * @returns {Promise<string | undefined>}
 */
async function build({ root, version, env }, folder) {
  const go = await run("go", ["version"], { env });
  if (go.problem !== undefined) return go.problem;
  const step = startStep(
    `building the Pulumi CLI ${version} with Go, once for this machine (3 to 4 minutes on 2 cores)`,
  );
  const args = [
    "build",
    "-trimpath",
    "-buildvcs=false",
    "-ldflags",
    `-s -w -X ${versionVariable}=${version}`,
  ];
  // Inside the folder, because go leaves hundreds of megabytes behind when it is interrupted.
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  const { problem, output } = await run("go", [...args, "-o", join(folder, "bin", "pulumi"), goPackage], {
    cwd: join(root, "scripts", "pulumi-cli"),
    // Like the official builds it needs no C compiler.
    env: { ...env, GOFLAGS: "-mod=readonly", GOWORK: "off", CGO_ENABLED: "0", GOTMPDIR: temporary },
    timeoutMs: buildTimeoutMs,
  });
  rmSync(temporary, { recursive: true, force: true });
  if (problem === undefined) {
    step.done(`Pulumi CLI ${version} built`);
    return undefined;
  }
  step.failed("the Pulumi CLI could not be built");
  return `${problem}: ${output.trim().split("\n").slice(-5).join(" | ")}`;
}

/**
 * @param {string} root
 * @param {string} binary
 * @param {Environment} env
 * @returns {Promise<string | undefined>}
 */
async function knownVersionOf(root, binary, env) {
  const { size, mtimeMs } = statSync(binary);
  const record = readRecord(root);
  const known = record?.pulumiVersions?.[binary];
  if (known?.size === size && known.mtimeMs === mtimeMs) return known.version;
  const version = await versionOf(binary, env);
  if (record !== undefined && version !== undefined) {
    const pulumiVersions = { ...record.pulumiVersions, [binary]: { size, mtimeMs, version } };
    writeRecord(root, { ...record, pulumiVersions });
  }
  return version;
}

/**
 * @param {string} binary
 * @param {Environment} env
 */
async function versionOf(binary, env) {
  const checkOff = { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  const { problem, stdout } = await run(binary, ["version"], { env: checkOff, timeoutMs: 20_000 });
  return problem === undefined ? reportedVersion(stdout) : undefined;
}

/**
 * What a killed set-up left behind; only the holder of the lock may call it.
 * @param {string} folder
 */
function removePartial(folder) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (name.startsWith(partialPrefix)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
