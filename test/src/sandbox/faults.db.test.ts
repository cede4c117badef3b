import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FaultInjector, type FaultTarget } from "../../../src/sandbox/faults.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
let faults: FaultInjector;

beforeAll(async () => {
  database = await createTestDatabase();
  faults = new FaultInjector(database.pool);
  await faults.listen();
});
afterAll(async () => {
  faults.close();
  await database.drop();
});
beforeEach(async () => {
  await database.pool.query("truncate sandbox.faults");
  await noticed();
});

const target: FaultTarget = { type: "aws:s3/bucket:Bucket", operation: "create", account: "111122223333" };

async function order(fault: Record<string, unknown>): Promise<void> {
  const columns = { kind: "error", type: "*", operation: "*", code: "Broken", message: "no", ...fault };
  const names = Object.keys(columns);
  await database.pool.query(
    `insert into sandbox.faults (${names.join()}) values (${names.map((_, index) => `$${index + 1}`).join()})`,
    Object.values(columns),
  );
  await noticed();
}

/** A notification reaches the listener after the commit that sent it. */
async function noticed(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50));
}

describe("faults", () => {
  test("nothing happens without one", async () => {
    await faults.strike(target);
  });

  test("an error strikes the matching type, operation and account", async () => {
    await order({ type: target.type, operation: "create", account: target.account });
    await expect(faults.strike(target)).rejects.toThrow("no");
    await faults.strike({ ...target, operation: "read" });
    await faults.strike({ ...target, type: "aws:kms/key:Key" });
    await faults.strike({ ...target, account: "444455556666" });
  });

  test("a star matches everything", async () => {
    await order({});
    await expect(faults.strike({ ...target, operation: "delete" })).rejects.toMatchObject({ code: "Broken" });
  });

  test("a count wears off exactly, whoever is struck", async () => {
    await order({ remaining: 2 });
    const other = new FaultInjector(database.pool);
    const strikes = [faults, other, faults, other, faults].map((injector) => injector.strike(target));
    const outcomes = await Promise.allSettled(strikes);
    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(2);
  });

  test("a throttle says that retrying did not help", async () => {
    await order({ kind: "throttle", code: null, message: null });
    await expect(faults.strike(target)).rejects.toMatchObject({
      code: "ThrottlingException",
      message: "Rate exceeded (exceeded maximum number of attempts, 25)",
    });
  });

  test("latency makes the call wait and lets it pass", async () => {
    await order({ kind: "latency", latency_ms: 80 });
    const before = performance.now();
    await faults.strike(target);
    expect(performance.now() - before).toBeGreaterThan(70);
  });

  test("an engine that gives up needn't wait", async () => {
    await order({ kind: "latency", latency_ms: 60_000 });
    const engine = new AbortController();
    const struck = faults.strike({ ...target, cancelled: engine.signal });
    engine.abort();
    await expect(struck).rejects.toMatchObject({ code: "RequestCanceled" });
  });

  test("a late answer holds up nothing before the change, and comes at once when the engine gives up", async () => {
    await order({ kind: "latency", moment: "after", latency_ms: 60_000 });
    await faults.strike(target);
    const engine = new AbortController();
    const answered = faults.delayAnswer({ ...target, cancelled: engine.signal });
    engine.abort();
    await answered;
  });

  test("a deleted fault strikes no longer", async () => {
    await order({});
    await expect(faults.strike(target)).rejects.toThrow();
    await database.pool.query("delete from sandbox.faults");
    await noticed();
    await faults.strike(target);
  });
});
