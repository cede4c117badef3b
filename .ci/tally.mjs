import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} Report what vitest's JSON reporter writes, as far as it is read here
 * @property {{ status: string, assertionResults: { status: string }[] }[]} testResults one entry a file
 */

/**
 * Counts the tests of a run. What went wrong outside a test counts as one failure, so that "0 failed" always means that
 * everything ran: a file that could not be loaded, a crash or error between tests, a run without tests or report.
 * @param {Report | undefined} report
 * @param {number} exitCode of vitest
 */
export function tally(report, exitCode) {
  const files = report?.testResults ?? [];
  const statuses = files.flatMap((file) => file.assertionResults.map((test) => test.status));
  const passed = statuses.filter((status) => status === "passed").length;
  const failedTests = statuses.filter((status) => status === "failed").length;
  const brokenFiles = files.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failed = failedTests + brokenFiles;
  const ranBadly = exitCode !== 0 || passed === 0;
  return { passed, failed: failed === 0 && ranBadly ? 1 : failed };
}

/**
 * @param {string} path
 * @returns {Report | undefined}
 */
function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [path = "", exitCode = "1"] = process.argv.slice(2);
  const { passed, failed } = tally(readReport(path), Number(exitCode));
  process.stdout.write(`${passed} ${failed}\n`);
}
