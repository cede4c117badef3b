import { PulumiCommand } from "@pulumi/pulumi/automation/index.js";

// The installer itself waits two minutes for an address that doesn't answer.
const answerTimeoutMs = 8_000;

/**
 * Installs the official Pulumi CLI, of the version of the installed SDK, into a folder: it ends up in `<folder>/bin`. Where
 * the download site can't be reached it throws within seconds.
 * @param {string} folder
 */
async function download(folder) {
  const site = "https://get.pulumi.com/install.sh";
  const answer = await fetch(site, { method: "HEAD", signal: AbortSignal.timeout(answerTimeoutMs) });
  if (!answer.ok) throw new Error(`${site} answers ${answer.status}`);
  await PulumiCommand.install({ root: folder });
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("Usage: node scripts/setup/download-pulumi.mjs <folder>");
try {
  await download(folder);
} catch (error) {
  const { message, cause } = /** @type {Error} */ (error);
  process.stderr.write(`${message.trim()}${cause instanceof Error ? ` (${cause.message})` : ""}\n`);
  process.exitCode = 1;
}
