import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stackPassphrases } from "../../src/operations/passphrases.ts";

const project = "aidlc-pipeline";
const passphrases = stackPassphrases("the master passphrase of the service");
const run = promisify(execFile);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aidlc-passphrases-"));
  await mkdir(join(folder, "state"));
  await writeFile(join(folder, "Pulumi.yaml"), JSON.stringify({ name: project, runtime: "nodejs" }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The engine as a run has it: the backend of all, the passphrase of one stack. */
function pulumi(passphrase: string, ...args: readonly string[]) {
  return run("pulumi", [...args, "--non-interactive"], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      PULUMI_HOME: join(folder, "home"),
      PULUMI_BACKEND_URL: `file://${folder}/state`,
      PULUMI_CONFIG_PASSPHRASE: passphrase,
      PULUMI_SKIP_UPDATE_CHECK: "true",
    },
  });
}

it("a team's passphrase opens its own stack's secrets and not those of another team's stack", async () => {
  const research = passphrases.of(project, "research.penguins");
  const fraud = passphrases.of(project, "fraud.churn");
  await pulumi(fraud, "stack", "init", "fraud.churn");
  await pulumi(fraud, "config", "set", "--secret", "key", "planted-secret", "--stack", "fraud.churn");
  expect(await readFile(join(folder, "Pulumi.fraud.churn.yaml"), "utf8")).not.toContain("planted-secret");

  const own = await pulumi(fraud, "config", "get", "key", "--stack", "fraud.churn");
  expect(own.stdout.trim()).toBe("planted-secret");
  const foreign = await pulumi(research, "config", "get", "key", "--stack", "fraud.churn").catch(
    (error) => error,
  );
  expect(foreign.stderr).toContain("incorrect passphrase");
  expect(`${foreign.stdout}${foreign.stderr}`).not.toContain("planted-secret");
});
