import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../setup/processes.mjs";
import { startStep } from "../setup/progress.mjs";

const packageFile = new URL("../../package.json", import.meta.url);
// About 150 MB, on a slow line.
const installTimeoutMs = 15 * 60_000;

/**
 * Installs the official AWS plugin, of the version of the SDK that the programs use, where every engine of this user finds it.
 * Idempotent; returns why it can't be had, or nothing.
 */
export async function ensurePlugin(home: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const version = pluginVersion();
  if (existsSync(join(home, ".pulumi", "plugins", `resource-aws-v${version}`))) return undefined;
  const step = startStep(`installing the official AWS plugin ${version}`);
  const { problem, output } = await run("pulumi", ["plugin", "install", "resource", "aws", version], {
    env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    timeoutMs: installTimeoutMs,
  });
  if (problem === undefined) {
    step.done(`official AWS plugin ${version} installed`);
    return undefined;
  }
  step.failed("no official AWS plugin from here");
  return `the official AWS plugin ${version} can't be installed: ${output.trim().split("\n").at(-1) || problem}`;
}

function pluginVersion(): string {
  const { dependencies } = JSON.parse(readFileSync(packageFile, "utf8")) as {
    dependencies: Record<string, string>;
  };
  return dependencies["@pulumi/aws"] ?? "";
}
