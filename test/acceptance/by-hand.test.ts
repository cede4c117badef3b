import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stackPassphrases } from "../../src/operations/passphrases.ts";
import { ended, startTestService, type TestService } from "../support/service.ts";

const run = promisify(execFile);
const plugin = fileURLToPath(new URL("../../src/sandbox/plugin", import.meta.url));

let service: TestService;
let folder: string;

beforeAll(async () => {
  service = await startTestService();
  folder = await mkdtemp(join(tmpdir(), "aidlc-by-hand-"));
});
afterAll(async () => {
  await service?.remove();
  await rm(folder, { recursive: true, force: true });
});

it("the CLI works by hand on a stack of the service, and starts the sandbox's plugin itself", async () => {
  await service.request("POST", "/v1/teams", { name: "research" });
  const account = { accountId: "123456789012", region: "eu-central-1" };
  const update = await ended(
    service,
    await service.request("PUT", "/v1/teams/research/accounts/main", account),
  );
  const project = "aidlc-foundation";
  const stack = "123456789012.eu-central-1";
  await writeFile(
    join(folder, "Pulumi.yaml"),
    JSON.stringify({
      name: project,
      runtime: "nodejs",
      plugins: { providers: [{ name: "aws", path: plugin }] },
    }),
  );
  const master = (await readFile(join(service.dataDir, "state-passphrase"), "utf8")).trim();
  const { stdout } = await run(
    "pulumi",
    ["refresh", "--preview-only", "--non-interactive", "--stack", stack],
    {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        PULUMI_HOME: join(folder, "home"),
        PULUMI_BACKEND_URL: `file://${join(service.dataDir, "state")}`,
        PULUMI_CONFIG_PASSPHRASE: stackPassphrases(master).of(project, stack),
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        AIDLC_SANDBOX_DATABASE_URL: service.databaseUrl,
      },
    },
  );
  const unchanged = Number(/(\d+) unchanged/.exec(stdout)?.[1]);
  expect(unchanged).toBeGreaterThanOrEqual(update.result.changes.create);
});
