import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROFILES, type Profile } from "../../programs/profiles.ts";
import { exampleSpecs } from "../../scripts/programs/example-specs.ts";
import { openPool } from "../../src/postgres/pool.ts";
import { unorderedReferences } from "../support/references.ts";
import { ended, startTestService, type TestResponse, type TestService } from "../support/service.ts";

const accountIds: Readonly<Record<Profile, string>> = {
  learning: "111122223333",
  production: "444455556666",
};
/** What one of them has at least: what it promises can't be had with less. */
const leastResources: Readonly<Record<Profile, number>> = { learning: 120, production: 200 };

let service: TestService;

const send = (method: string, path: string, body?: unknown) => service.request(method, path, body);
/** Runs an operation to its end, which must be success: what else it says is why not. */
async function run(method: string, path: string, body?: unknown): Promise<TestResponse["body"]> {
  const operation = await ended(service, await send(method, path, body));
  if (operation.state !== "succeeded") throw new Error(JSON.stringify(operation.error, null, 2));
  return operation;
}

/** Ids of everything that AWS doesn't just wait to delete. */
async function inventory(): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (let cursor: string | undefined; ; ) {
    const { body } = await send(
      "GET",
      `/sandbox/v1/resources?limit=200${cursor === undefined ? "" : `&cursor=${cursor}`}`,
    );
    for (const item of body.items)
      if (item.deletionDueAt === undefined) ids.add(`${item.type} ${item.awsId}`);
    if (body.nextCursor === undefined) return ids;
    cursor = body.nextCursor;
  }
}

/** References of any stack to something that it doesn't wait for. */
async function unorderedInAll(): Promise<readonly string[]> {
  const pool = openPool(service.databaseUrl, 1);
  const stacks = await pool.query<{ id: string }>("select id from stacks where initialized");
  const found = await Promise.all(
    stacks.rows.map(async ({ id }) => {
      const { rows } = await pool.query(
        "select urn, type, aws_id as id, dependencies, inputs, outputs from resources where stack_id = $1",
        [id],
      );
      return unorderedReferences(rows);
    }),
  );
  await pool.end();
  return found.flat();
}

beforeAll(async () => {
  service = await startTestService();
  for (const profile of PROFILES) {
    // Examples of both profiles call their account "main": each profile is a team with an account of its own.
    await send("POST", "/v1/teams", { name: profile });
    const account = { accountId: accountIds[profile], region: "eu-central-1", foundation: { profile } };
    await run("PUT", `/v1/teams/${profile}/accounts/main`, account);
  }
});
afterAll(() => service?.remove());

// A pipeline of production has more than 400 resources; on a busy machine its removal takes minutes.
const timeout = 600_000;

describe.each(exampleSpecs())("the $name example on the real engine", { timeout }, ({ name, text, spec }) => {
  const path = `/v1/teams/${spec.profile}/pipelines/${name}`;
  let before: ReadonlySet<string>;

  it("goes up, with as many resources as its profile promises, each after what it refers to", async () => {
    before = await inventory();
    const update = await run("PUT", path, text);
    expect(update.result.changes.create).toBeGreaterThanOrEqual(leastResources[spec.profile]);
    expect(await unorderedInAll()).toEqual([]);
  });

  it("has no difference to a second update and has not drifted", async () => {
    const preview = await run("POST", `${path}/previews`, text);
    expect(Object.keys(preview.result.changes)).toEqual(["same"]);
    const update = await run("PUT", path, text);
    expect(Object.keys(update.result.changes)).toEqual(["same"]);
    const drift = await run("POST", `${path}/drift-checks`);
    expect(drift.result.steps).toEqual([]);
  });

  it("comes down and leaves nothing", async () => {
    await run("DELETE", `${path}?data=delete`);
    const left = await inventory();
    expect([...left].filter((id) => !before.has(id))).toEqual([]);
  });
});

describe("the examples' foundations", { timeout }, () => {
  it.each(PROFILES)("of %s come down and leave nothing", async (profile) => {
    await run("DELETE", `/v1/teams/${profile}/accounts/main?data=delete`);
    const { body } = await send("GET", `/sandbox/v1/resources?account=${accountIds[profile]}&limit=200`);
    const left = body.items.filter((item: TestResponse["body"]) => item.deletionDueAt === undefined);
    expect(left).toEqual([]);
  });
});
