import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { awsAccount, validSpec } from "../support/builders.ts";
import {
  approve,
  ended,
  type Requester,
  requester,
  startTestService,
  type TestResponse,
  type TestService,
} from "../support/service.ts";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const team = "/v1/teams/research";
const pipeline = `${team}/pipelines/penguins`;
const spec = validSpec((one) => {
  one.approvals = { required: 1 };
});

let service: TestService;
let developer: Requester;
let approver: Requester;

beforeAll(async () => {
  service = await startTestService();
  await service.request("POST", "/v1/teams", { name: "research" });
  const account = awsAccount({ roleArn: undefined, profile: undefined });
  const registered = await service.request("PUT", `${team}/accounts/main`, account);
  expect(await ended(service, registered)).toMatchObject({ state: "succeeded" });
  const keyOf = async (name: string, ...roles: string[]) => {
    const { body } = await service.request("POST", `${team}/keys`, { name, roles });
    return requester(service.url, body.key);
  };
  developer = await keyOf("developer", "maintainer");
  approver = await keyOf("approver", "approver");
});
afterAll(() => service?.remove());

/** The operation as soon as it waits for somebody. */
async function waiting(accepted: TestResponse): Promise<TestResponse["body"]> {
  expect(accepted.status, JSON.stringify(accepted.body)).toBe(202);
  const { body } = await developer.request("GET", accepted.headers.get("location") ?? "", undefined, {
    prefer: "wait=60",
  });
  expect(body.error).toBeUndefined();
  expect(body.state).toBe("awaiting_approval");
  return body;
}

const endOf = (operation: TestResponse["body"]) =>
  ended(
    { ...developer },
    { status: 202, headers: new Headers({ location: `/v1/operations/${operation.id}` }), body: operation },
  );

const withBudget = (monthlyUsd: number) => developer.request("PATCH", pipeline, { budget: { monthlyUsd } });

const bucketsOnAws = async () => {
  const { body } = await service.request(
    "GET",
    "/sandbox/v1/resources?pipeline=penguins&type=aws:s3/bucket:Bucket&limit=200",
  );
  return body.items as TestResponse["body"][];
};

describe("a pipeline whose changes need an approval", () => {
  it("is not created before, and nothing runs, holds a lock or waits in the queue meanwhile", async () => {
    const operation = await waiting(await developer.request("PUT", pipeline, spec));
    expect(operation.approval).toMatchObject({ needed: 1, given: 0, from: ["approver"] });
    expect(operation.approval.reasons.map(({ code }: { code: string }) => code)).toEqual(["spec"]);
    expect(operation.result.digest).toBe(operation.approval.digest);
    expect(operation.result.steps.length).toBeGreaterThan(50);
    expect(await bucketsOnAws()).toEqual([]);
    // Spares have folders of their own, but no run in them.
    const runners = await readdir(`${service.dataDir}/work`);
    const runs = await Promise.all(runners.map((runner) => readdir(`${service.dataDir}/work/${runner}`)));
    expect(runs.flat().filter((name) => name === operation.id)).toEqual([]);

    // The queue is free: what only looks, and what is about the same stack, runs.
    const preview = await ended(developer, await developer.request("POST", `${pipeline}/previews`));
    expect(preview).toMatchObject({ state: "succeeded" });

    const own = await approve(developer, operation);
    expect([own.status, own.body.code]).toEqual([403, "forbidden"]);
    expect((await approve(approver, operation)).status).toBe(200);
    expect(await endOf(operation)).toMatchObject({ state: "succeeded" });
    expect((await bucketsOnAws()).length).toBeGreaterThan(0);
  });

  it("has the same plan every time it is looked at, and another one when somebody changes it by hand", async () => {
    const first = await waiting(await withBudget(30));
    // The same again takes the other's place.
    const second = await waiting(await withBudget(30));
    expect(second.result.steps).toEqual(first.result.steps);
    expect(second.approval.digest).toBe(first.approval.digest);
    expect((await developer.request("GET", `/v1/operations/${first.id}`)).body.state).toBe("superseded");

    const { body } = await service.request(
      "GET",
      "/sandbox/v1/resources?pipeline=penguins&type=aws:s3/bucketVersioning:BucketVersioning&limit=1",
    );
    const [byHand] = body.items;
    const changed = await service.request("PATCH", `/sandbox/v1/resources/${byHand.id}`, {
      versioningConfiguration: { status: "Suspended" },
    });
    expect(changed.status).toBe(200);
    expect((await approve(approver, second)).status).toBe(200);
    const refused = await endOf(second);
    expect(refused).toMatchObject({ state: "failed", error: { code: "plan_changed" } });
    const versioning = refused.result.steps.filter((step: TestResponse["body"]) => step.type === byHand.type);
    expect(versioning.map(({ action }: { action: string }) => action)).toEqual(["update"]);

    // What is approved now also puts right what was done by hand.
    const third = await waiting(await withBudget(30));
    expect((await approve(approver, third)).status).toBe(200);
    const update = second.result.steps.length + 1;
    expect(await endOf(third)).toMatchObject({ state: "succeeded", result: { changes: { update } } });
    const { items } = (await developer.request("GET", `/v1/operations/${third.id}/events?limit=1000`)).body;
    const told = items.filter(({ type }: { type: string }) => type === "approval");
    expect(told.map((event: TestResponse["body"]) => event.body.status)).toEqual(["requested", "approved"]);
    expect(items.map(({ sequence }: { sequence: number }) => sequence)).toEqual(
      items.map((_: unknown, index: number) => index + 1),
    );
  });

  it("loses its data only by somebody else's decision", async () => {
    const operation = await waiting(
      await developer.request("DELETE", `${pipeline}?data=delete&confirm=research/penguins`),
    );
    expect(operation.approval.reasons.map(({ code }: { code: string }) => code)).toContain("data_loss");
    const rejected = await approver.request("POST", `/v1/operations/${operation.id}/reject`, {
      comment: "Not before the audit",
    });
    expect(rejected.body).toMatchObject({ state: "cancelled", error: { code: "approval_rejected" } });
    expect((await bucketsOnAws()).length).toBeGreaterThan(0);
    expect((await developer.request("GET", pipeline)).body.state).toBe("ready");
  });
});
