import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What the last complete set-up of this checkout did. It lies inside node_modules, so that it goes away with it.
 * @typedef {object} SetupRecord
 * @property {string} lockHash of the package-lock.json that node_modules was installed from
 * @property {string} platform
 * @property {Record<string, { size: number, mtimeMs: number, version: string }>} [pulumiVersions] by the path of the
 *   binary; asking one takes 0.15 s
 */

/** @param {string} root */
function recordPath(root) {
  return join(root, "node_modules", ".aidlc-setup.json");
}

/**
 * @param {string} root
 * @returns {SetupRecord | undefined}
 */
export function readRecord(root) {
  try {
    return JSON.parse(readFileSync(recordPath(root), "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * @param {string} root
 * @param {SetupRecord} record
 */
export function writeRecord(root, record) {
  const path = recordPath(root);
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, JSON.stringify(record));
  renameSync(aside, path);
}

/** @param {string} root */
export function removeRecord(root) {
  rmSync(recordPath(root), { force: true });
}
