import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunOutcome } from "../../../src/engine/protocol.ts";
import type { StackOwner } from "../../../src/operations/stack-owner.ts";
import { findOperation, type Operation } from "../../../src/operations/store.ts";
import { pipelineOwner } from "../../../src/pipelines/owner.ts";
import { inTransaction } from "../../../src/postgres/pool.ts";
import { awsAccount, foundationOutputs, validSpec } from "../../support/builders.ts";
import { type Answer, type Api, startApi } from "../api.ts";
import { PipelineRequests, withBudget } from "./pipeline-requests.ts";

let api: Api;
let team: string;
let owner: StackOwner;
let churn: PipelineRequests;

beforeAll(async () => {
  api = await startApi();
  team = await api.teamWithAccount();
  owner = pipelineOwner({ pool: api.database.pool, audit: api.audit });
});

beforeEach(() => {
  churn = new PipelineRequests(api, team);
});

afterAll(() => api.close());

const stored = async ({ body }: Answer) => (await findOperation(api.database.pool, body.id)) as Operation;
const inputOf = async (operation: Operation) =>
  (await owner.programFor(operation)).input as unknown as Record<string, object>;
const end = (operation: Operation, state: RunOutcome["state"]) =>
  inTransaction(api.database.pool, (client) =>
    owner.onEnded(client, operation, { state, changes: {}, steps: [], stackExists: true }),
  );

describe("the program of a pipeline's operation", () => {
  it("takes the spec of its revision, the account, and what the foundation hands out", async () => {
    const update = await stored(await churn.put());
    expect(await owner.programFor(update)).toEqual({
      name: "pipeline",
      input: {
        team,
        pipeline: churn.name,
        spec: (await churn.read()).spec,
        account: awsAccount(),
        foundation: foundationOutputs(),
        dataOnDestroy: "retain",
      },
    });
  });

  it("takes the spec of its own revision even when a newer one is asked for by then", async () => {
    const update = await stored(await churn.put());
    await churn.put(withBudget(99));
    expect((await inputOf(update)).spec).toMatchObject({ budget: { monthlyUsd: 25 } });
  });

  it("takes a preview's own spec, also for a pipeline that doesn't exist", async () => {
    const preview = await stored(await api.send("POST", `${churn.url}/previews`, { body: withBudget(77) }));
    expect((await inputOf(preview)).spec).toMatchObject({ budget: { monthlyUsd: 77 } });
  });

  it("deletes data only for a destroy that was told to", async () => {
    await churn.put();
    expect((await inputOf(await stored(await churn.delete()))).dataOnDestroy).toBe("retain");
    churn = new PipelineRequests(api, team);
    await churn.put();
    const destroy = await stored(
      await api.send("DELETE", `${churn.url}?data=delete&confirm=${team}/${churn.name}`),
    );
    expect((await inputOf(destroy)).dataOnDestroy).toBe("delete");
  });

  it("can't be built while the foundation isn't provisioned", async () => {
    const own = await api.teamWithAccount();
    const update = await stored(await new PipelineRequests(api, own).put());
    await api.database.pool.query("update foundations set ready = false");
    try {
      await expect(owner.programFor(update)).rejects.toMatchObject({ code: "foundation_not_ready" });
    } finally {
      await api.database.pool.query("update foundations set ready = true");
    }
  });

  it("never takes the spec of a later pipeline of the same name", async () => {
    const update = await stored(await churn.put(withBudget(11)));
    await churn.applied(update.id);
    const check = await stored(await api.send("POST", `${churn.url}/drift-checks`));
    const { body: destroy } = await churn.delete();
    await churn.destroyed(destroy.id);
    await churn.put(withBudget(22));
    const input = await inputOf(check).catch(() => undefined);
    expect(input?.spec).not.toMatchObject({ budget: { monthlyUsd: 22 } });
  });
});

describe("the end of a pipeline's operation", () => {
  it("makes an update's revision the applied one", async () => {
    const first = await stored(await churn.put());
    await end(first, "succeeded");
    await churn.put(withBudget(50));
    expect(await churn.read()).toMatchObject({ appliedRevision: 1, desiredRevision: 2 });
  });

  it("takes a destroyed pipeline out of sight", async () => {
    await churn.put();
    await end(await stored(await churn.delete()), "succeeded");
    expect((await api.send("GET", churn.url)).status).toBe(404);
  });

  it.each(["failed", "cancelled", "needs_repair"] as const)("changes nothing when it %s", async (state) => {
    const update = await stored(await churn.put());
    await end(update, state);
    expect(await churn.read()).not.toHaveProperty("appliedRevision");
    await end(await stored(await churn.delete()), state);
    expect((await api.send("GET", churn.url)).status).toBe(200);
  });

  it("changes nothing when it only read", async () => {
    await churn.put();
    await end(await stored(await api.send("POST", `${churn.url}/previews`)), "succeeded");
    await end(
      await stored(await api.send("POST", `${churn.url}/previews`, { body: validSpec() })),
      "succeeded",
    );
    expect(await churn.read()).not.toHaveProperty("appliedRevision");
  });
});
