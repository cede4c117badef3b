import { describe, expect, it } from "vitest";
import { digestOf } from "../../../src/digest.ts";
import { judge, type Plan, passGate, planOfDestroy } from "../../../src/engine/gate.ts";
import { type PlannedResource, reasonsOf } from "../../../src/engine/plan.ts";
import type { ApprovalReason } from "../../../src/engine/protocol.ts";
import { unknownText } from "../../../src/engine/unknown.ts";

const planned = (type: string, name: string, change: Partial<PlannedResource> = {}): PlannedResource => ({
  action: change.after === undefined ? "delete" : change.before === undefined ? "create" : "update",
  urn: `urn:pulumi:s::p::${type}::${name}`,
  type,
  name,
  ...change,
});
const bucket = (action: string) => planned("aws:s3/bucket:Bucket", "raw", { action });
const policy = (...actions: string[]) =>
  JSON.stringify({ Statement: actions.map((Action) => ({ Effect: "Allow", Action, Resource: "*" })) });
const denyAll = JSON.stringify({
  Statement: { Effect: "Deny", Principal: "*", Action: "s3:*", Resource: "*" },
});
const open = JSON.stringify({
  Statement: { Effect: "Allow", Principal: "*", Action: "s3:*", Resource: "*" },
});
const role = (inputs: object) => ({ assumeRolePolicy: policy(), ...inputs });

const reasons = (plan: readonly PlannedResource[], firstCreation = false) =>
  reasonsOf(plan, { firstCreation }).map(({ code, resources }) => [
    code,
    ...resources.map(({ name }) => name),
  ]);

describe("a plan loses data", () => {
  it.each(["delete", "replace"])("when it would %s something that holds some", (action) => {
    expect(reasons([bucket(action), planned("aws:sqs/queue:Queue", "work")])).toEqual([["data_loss", "raw"]]);
  });

  it("not by an update or a create, nor with what can be made again", () => {
    const alarm = planned("aws:cloudwatch/metricAlarm:MetricAlarm", "late");
    expect(reasons([bucket("update"), bucket("create"), alarm])).toEqual([]);
  });
});

describe("a plan widens access", () => {
  const widening = [["iam_widening", "x"]];
  it.each<[string, PlannedResource]>([
    [
      "a role's policy that allows more",
      planned("aws:iam/rolePolicy:RolePolicy", "x", {
        before: { policy: policy("s3:Get*") },
        after: { policy: policy("s3:*") },
      }),
    ],
    [
      "a new role's policy",
      planned("aws:iam/rolePolicy:RolePolicy", "x", { after: { policy: policy("s3:Get*") } }),
    ],
    [
      "a policy that only AWS will know",
      planned("aws:iam/policy:Policy", "x", {
        before: { policy: policy("s3:*") },
        after: { policy: unknownText },
      }),
    ],
    [
      "a trust that lets more in",
      planned("aws:iam/role:Role", "x", {
        before: role({}),
        after: role({ assumeRolePolicy: policy("sts:AssumeRole") }),
      }),
    ],
    [
      "a role without its boundary",
      planned("aws:iam/role:Role", "x", { before: role({ permissionsBoundary: "arn:b" }), after: role({}) }),
    ],
    [
      "a permission of its own",
      planned("aws:lambda/permission:Permission", "x", { after: { principal: "events.amazonaws.com" } }),
    ],
    [
      "a bucket's policy that is opened",
      planned("aws:s3/bucketPolicy:BucketPolicy", "x", {
        before: { bucket: "raw", policy: denyAll },
        after: { bucket: "raw", policy: open },
      }),
    ],
    [
      "a bucket's denials that are gone",
      planned("aws:s3/bucketPolicy:BucketPolicy", "x", { before: { bucket: "raw", policy: denyAll } }),
    ],
  ])("by %s", (_, resource) => {
    expect(reasons([resource])).toEqual(widening);
    expect(reasons([resource], true)).toEqual([]);
  });

  it("not by narrower documents, nor by the end of a role", () => {
    const narrower = { before: { policy: policy("s3:*") }, after: { policy: policy("s3:Get*") } };
    expect(reasons([planned("aws:iam/rolePolicy:RolePolicy", "x", narrower)])).toEqual([]);
    expect(
      reasons([planned("aws:iam/role:Role", "x", { before: role({ permissionsBoundary: "arn:b" }) })]),
    ).toEqual([]);
  });

  it("not by the guard of something that comes, or goes, with it", () => {
    const guard = "aws:s3/bucketPolicy:BucketPolicy";
    const comes = planned("aws:s3/bucket:Bucket", "new", { after: { bucket: "fresh" } });
    expect(reasons([comes, planned(guard, "x", { after: { bucket: "fresh", policy: open } })])).toEqual([]);
    expect(reasons([planned(guard, "x", { after: { bucket: unknownText, policy: open } })])).toEqual([]);
    expect(reasons([planned(guard, "x", { after: { bucket: "other", policy: open } })])).toEqual(widening);
    const goes = planned("aws:sqs/queue:Queue", "old", { awsId: "https://q", before: { name: "old" } });
    const its = planned("aws:sqs/queuePolicy:QueuePolicy", "x", {
      before: { queueUrl: "https://q", policy: denyAll },
    });
    expect(reasons([goes, its])).toEqual([]);
    expect(reasons([planned("aws:kms/key:Key", "x", { after: { policy: open } })])).toEqual([]);
  });
});

const plan = (...resources: PlannedResource[]): Plan => ({
  steps: resources.map((resource) => ({ ...resource, changes: [] })),
  plan: resources,
  changes: {},
});
const spec: ApprovalReason = { code: "spec", message: "The spec says so", resources: [] };
const free = { reasons: [], firstCreation: false };

describe("a plan may be applied", () => {
  it("when nothing asks for an approval, or it changes nothing", () => {
    expect(judge(free, plan(bucket("update")))).toBeUndefined();
    expect(judge({ ...free, reasons: [spec] }, plan())).toBeUndefined();
  });

  it("when it is the one that was approved, and no other one", () => {
    const approved = digestOf(plan(bucket("delete")).steps);
    const gate = { reasons: [spec], firstCreation: false, approved };
    expect(judge(gate, plan(bucket("delete")))).toBeUndefined();
    for (const other of [plan(bucket("replace")), plan(bucket("update")), plan()])
      expect(judge(gate, other)).toMatchObject({ state: "failed", error: { code: "plan_changed" } });
  });

  it("or else nothing is claimed of what an interrupted run before it has done", () => {
    const gate = { reasons: [spec], firstCreation: false, approved: digestOf(plan(bucket("delete")).steps) };
    expect(judge(gate, plan(bucket("update")))).toMatchObject({
      error: { remedy: expect.stringMatching(/^This run changed nothing; .*history/) },
    });
  });

  it("not before somebody has approved, with every reason there is", () => {
    const held = judge({ ...free, reasons: [spec] }, plan(bucket("delete")));
    expect(held).toMatchObject({ state: "awaiting_approval", reasons: [spec, { code: "data_loss" }] });
  });
});

describe("passing the gate", () => {
  const pass = async (
    gate: Parameters<typeof passGate>[0],
    action: Parameters<typeof passGate>[1],
    made = plan(bucket("update")),
  ) => {
    const refreshed: boolean[] = [];
    const { held, refresh } = await passGate(gate, action, async (refresh) => {
      refreshed.push(refresh);
      return made;
    });
    return { refreshed, refresh, state: held?.state };
  };

  it("takes one plan, by the state, where nobody has to approve", async () => {
    expect(await pass(free, "update")).toEqual({ refreshed: [false], refresh: false, state: undefined });
  });

  it("takes what exists on AWS where somebody has to, or had to, and for what compares with it anyway", async () => {
    const waits = { refreshed: [true], refresh: true, state: "awaiting_approval" };
    expect(await pass({ ...free, reasons: [spec] }, "update")).toEqual(waits);
    expect(await pass({ ...free, approved: "other" }, "update")).toEqual({ ...waits, state: "failed" });
    expect(await pass(free, "reconcile")).toEqual({ ...waits, state: undefined });
  });

  it("looks at AWS before it lets somebody decide on a plan that turned out to need it", async () => {
    const waits = { refreshed: [false, true], refresh: true, state: "awaiting_approval" };
    expect(await pass(free, "update", plan(bucket("delete")))).toEqual(waits);
  });
});

describe("the plan of a destroy", () => {
  it("is the end of every resource, in one order whatever the state's is", () => {
    const records = ["b", "a"].map((name) => ({
      urn: `urn:pulumi:s::p::aws:s3/bucket:Bucket::${name}`,
      ...{ type: "aws:s3/bucket:Bucket", name, awsId: name, phase: null, parent: null, dependencies: [] },
      ...{ inputs: {}, outputs: {} },
    }));
    const { steps, plan: resources } = planOfDestroy(records);
    expect(steps.map(({ name, action }) => [name, action])).toEqual([
      ["a", "delete"],
      ["b", "delete"],
    ]);
    expect(reasons(resources)).toEqual([["data_loss", "a", "b"]]);
    expect(digestOf(planOfDestroy(records.toReversed()).steps)).toBe(digestOf(steps));
  });
});
