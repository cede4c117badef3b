import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SandboxProvider } from "../../../src/engine/sandbox-provider.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
let provider: SandboxProvider;

beforeAll(async () => {
  database = await createTestDatabase();
  provider = new SandboxProvider(database.url, {
    PATH: process.env.PATH ?? "",
    AIDLC_TEST_MARK: database.url.slice(-20),
  });
});
afterAll(async () => {
  await provider.close();
  await database.drop();
});

it("serves without the database's address in its environment or arguments, where any process of its user could read it", async () => {
  expect(await provider.port()).toBeGreaterThan(0);
  const shown = providers();
  expect(shown).toHaveLength(1);
  expect(shown[0]?.text).not.toContain(new URL(database.url).password);
});

it("is started once more when it is killed before it serves", async () => {
  const [served] = providers();
  process.kill(served?.pid ?? 0, "SIGKILL");
  while (providers().length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const port = provider.port();
  for (const { pid } of providers()) process.kill(pid, "SIGKILL");
  expect(await port).toBeGreaterThan(0);
});

/** The processes that bear this test's mark. */
function providers(): { readonly pid: number; readonly text: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
        if (!environment.includes(`AIDLC_TEST_MARK=${database.url.slice(-20)}`)) return [];
        return [{ pid: Number(pid), text: `${readFileSync(`/proc/${pid}/cmdline`, "utf8")} ${environment}` }];
      } catch {
        return [];
      }
    });
}
