import { randomUUID } from "node:crypto";
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * @typedef {{ pid: number, worker?: number, host: string, id: string }} Holder `worker` is the program that it has started:
 *   when a set-up is killed, its npm goes on for a while
 */

const refreshMs = 5_000;
// A home folder can be shared by machines, where a process id says nothing: then only the file's age does.
const lapsedMs = 60_000;

/**
 * Runs `work` while holding the lock file `path`, and waits for another set-up that holds it. A lock whose holder has died
 * is taken over.
 * @template Result
 * @param {string} path
 * @param {(holder: Holder) => void} onWait called once, when the lock is somebody else's
 * @param {(startsWorker: (pid: number) => void) => Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function withLock(path, onWait, work) {
  const own = { pid: process.pid, host: hostname(), id: randomUUID() };
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!tryCreate(path, own)) {
    const found = readHolder(path);
    if (found === undefined) continue;
    if (isAbandoned(found, { host: own.host, now: Date.now(), isAlive })) {
      takeAway(path, found.text);
      continue;
    }
    if (!told) onWait(found.holder);
    told = true;
    await sleep(500);
  }
  const release = () => {
    if (readHolder(path)?.holder.id === own.id) rmSync(path, { force: true });
  };
  process.once("exit", release);
  const refresh = setInterval(() => touch(path), refreshMs);
  try {
    return await work((worker) => replaceHolder(path, { ...own, worker }));
  } finally {
    clearInterval(refresh);
    process.removeListener("exit", release);
    release();
  }
}

/**
 * @param {{ holder: Holder, touchedAt: number }} lock
 * @param {{ host: string, now: number, isAlive: (pid: number) => boolean }} here
 */
export function isAbandoned({ holder, touchedAt }, { host, now, isAlive }) {
  if (now - touchedAt > lapsedMs) return true;
  return (
    holder.host === host && ![holder.pid, holder.worker].some((pid) => pid !== undefined && isAlive(pid))
  );
}

/**
 * @param {string} path
 * @param {Holder} own
 */
function tryCreate(path, own) {
  // Written aside and linked, so that nobody ever reads a lock without its holder.
  const aside = `${path}.${own.id}`;
  writeFileSync(aside, JSON.stringify(own));
  try {
    linkSync(aside, path);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/**
 * @param {string} path
 * @param {Holder} holder
 */
function replaceHolder(path, holder) {
  const aside = `${path}.${randomUUID()}`;
  writeFileSync(aside, JSON.stringify(holder));
  renameSync(aside, path);
}

/** @param {string} path */
function readHolder(path) {
  try {
    const text = readFileSync(path, "utf8");
    const holder = /** @type {Holder} */ (JSON.parse(text));
    return { text, holder, touchedAt: statSync(path).mtimeMs };
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Two that find the same dead lock must not both remove it: the slower one would remove the faster one's new lock. So it is
 * moved aside first, and put back where it turns out to be another one.
 * @param {string} path
 * @param {string} expected
 */
function takeAway(path, expected) {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw error;
  }
  try {
    if (readFileSync(aside, "utf8") !== expected) linkSync(aside, path);
  } finally {
    rmSync(aside, { force: true });
  }
}

/** @param {string} path */
function touch(path) {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // Taken over after this machine slept; the work ends with a rename, so nothing breaks.
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}

/** @param {unknown} error */
function errorCode(error) {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
