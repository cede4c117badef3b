import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { withLock } from "./lock.mjs";
import { run } from "./processes.mjs";
import { say, startStep } from "./progress.mjs";

/** @typedef {import("./processes.mjs").Environment} Environment */

/** What bundles are made of, and how. */
const sources = ["handlers", "programs", "scripts/handlers"];

/**
 * Bundles the handlers and lays the layer of those that read data beside them, in `build/handlers`, where the programs find
 * them. Does nothing when the build is of these very sources.
 * @param {string} root
 * @param {string} cache the folder that this machine's checkouts share
 * @param {Environment} env
 */
export async function ensureHandlers(root, cache, env) {
  const build = join(root, "build", "handlers");
  const record = join(build, "sources.txt");
  const wanted = sourcesDigest(root);
  const isBuilt = () => existsSync(record) && readFileSync(record, "utf8") === wanted;
  if (isBuilt()) return;
  await withLock(
    join(cache, "locks", `handlers-${createHash("sha256").update(root).digest("hex").slice(0, 16)}.lock`),
    ({ pid }) => say(`waiting for another set-up that builds the handlers here (process ${pid})`),
    async (onStart) => {
      if (isBuilt()) return;
      rmSync(record, { force: true });
      const layer = await ensureLayer(root, cache, env);
      const place = join(build, "layers", "duckdb");
      if (!existsSync(place) || !isSameLayer(place, layer)) {
        rmSync(place, { recursive: true, force: true });
        cpSync(layer, place, { recursive: true });
      }
      const step = startStep("bundling the handlers");
      const node = join(root, "node_modules", ".bin", "node");
      const { problem, output } = await run(node, ["scripts/handlers/main.ts"], { cwd: root, env, onStart });
      if (problem !== undefined) {
        step.failed("the handlers could not be bundled");
        throw new Error(`${problem}:\n${output.trimEnd()}`);
      }
      writeFileSync(record, wanted);
      step.done("handlers bundled");
    },
  );
}

/** @param {string} root */
function sourcesDigest(root) {
  const hash = createHash("sha256").update(readFileSync(join(root, "package-lock.json")));
  for (const folder of sources) {
    const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes("node_modules"))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    for (const file of files) hash.update(`${file.slice(root.length)}\0`).update(readFileSync(file));
  }
  return hash.digest("hex");
}

/** @param {string} one @param {string} other */
function isSameLayer(one, other) {
  const lock = join("nodejs", "package-lock.json");
  return existsSync(join(one, lock)) && readFileSync(join(one, lock)).equals(readFileSync(join(other, lock)));
}

/**
 * The layer, made once for the machine: npm installs for the functions' processor, whatever this machine's is.
 * @param {string} root
 * @param {string} cache
 * @param {Environment} env
 */
async function ensureLayer(root, cache, env) {
  const source = join(root, "handlers", "duckdb-layer");
  const digest = createHash("sha256")
    .update(readFileSync(join(source, "package-lock.json")))
    .digest("hex");
  const place = join(cache, "duckdb-layer", digest.slice(0, 16));
  if (existsSync(place)) return place;
  await withLock(
    join(cache, "locks", "duckdb-layer.lock"),
    ({ pid }) => say(`waiting for another set-up that installs DuckDB for the functions (process ${pid})`),
    async (onStart) => {
      if (existsSync(place)) return;
      const step = startStep("installing DuckDB for the functions, once for this machine");
      const partial = `${place}.partial`;
      rmSync(partial, { recursive: true, force: true });
      const folder = join(partial, "nodejs");
      mkdirSync(folder, { recursive: true });
      for (const name of ["package.json", "package-lock.json", ".npmrc"])
        cpSync(join(source, name), join(folder, name));
      const args = [
        "ci",
        "--os=linux",
        "--cpu=arm64",
        "--libc=glibc",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
      ];
      const { problem, output } = await run("npm", [...args, "--loglevel=error"], {
        cwd: folder,
        env,
        onStart,
      });
      if (problem !== undefined) {
        step.failed("DuckDB could not be installed");
        throw new Error(`${problem}:\n${output.trimEnd()}\nIs the npm registry reachable?`);
      }
      mkdirSync(dirname(place), { recursive: true });
      renameSync(partial, place);
      step.done("DuckDB installed for the functions");
    },
  );
  return place;
}
