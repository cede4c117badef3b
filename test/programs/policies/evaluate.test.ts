import { describe, expect, it } from "vitest";
import { evaluate, type PolicyException, refuses } from "../../../programs/policies/evaluate.ts";
import { each, lacks, type Policy } from "../../../programs/policies/policy.ts";
import { type StackContext, stackOf } from "../../../programs/policies/stack.ts";
import { notYetKnown } from "../../../programs/policies/values.ts";
import { one } from "./policy-cases.ts";

const closed: Policy = {
  id: "bucket-closed",
  title: "Every bucket is closed",
  text: "Because it holds data",
  phase: "infrastructure",
  severity: "high",
  levels: { learning: "advisory", production: "mandatory" },
  controls: {},
  remedy: "Close it",
  check: each(["aws:s3/bucket:Bucket"], ({ properties }) => properties.open !== false && "It is open"),
};
const budgeted: Policy = {
  ...closed,
  id: "has-budget",
  levels: { learning: "mandatory", production: "mandatory" },
  check: lacks(() => "It has no budget"),
};
const raw = one("s3/bucket:Bucket", "raw", { open: true });
const models = one("s3/bucket:Bucket", "models", { open: true });
const now = new Date("2026-05-04T12:00:00Z");

const find = (
  policies: readonly Policy[],
  profile: StackContext["profile"] = "production",
  exceptions: readonly PolicyException[] = [],
) => {
  const stack = stackOf([raw, models], { program: "pipeline", profile, adopted: [] });
  return evaluate(policies, stack, { exceptions, now });
};
const exception = (change: Partial<PolicyException> = {}): PolicyException => ({
  policy: "bucket-closed",
  reason: "It is emptied next week",
  approvedBy: "security@example.com",
  expiresAt: "2026-05-04T12:00:01Z",
  ...change,
});

describe("the evaluation of policies", () => {
  it("tells each breach with policy, resource, detail and remedy", () => {
    expect(find([closed])[0]).toEqual({
      policy: "bucket-closed",
      title: "Every bucket is closed",
      phase: "infrastructure",
      severity: "high",
      enforcement: "mandatory",
      detail: "It is open",
      resource: { urn: raw.urn, type: raw.type, name: "raw" },
      remedy: "Close it",
    });
  });

  it("enforces by profile", () => {
    expect(find([closed], "learning").map(refuses)).toEqual([false, false]);
    expect(find([closed], "production").map(refuses)).toEqual([true, true]);
    expect(
      find([{ ...closed, levels: { learning: "disabled", production: "mandatory" } }], "learning"),
    ).toEqual([]);
  });

  it("tells first what refuses", () => {
    const found = find([closed, budgeted], "learning");
    expect(found.map(({ policy }) => policy)).toEqual(["has-budget", "bucket-closed", "bucket-closed"]);
  });

  it("lets an exception cover every resource, or the one that it names", () => {
    expect(find([closed], "production", [exception()]).map(refuses)).toEqual([false, false]);
    const named = find([closed], "production", [exception({ resource: "models" })]);
    expect(named.map(({ resource, exception: used }) => [resource?.name, used?.approvedBy])).toEqual([
      ["raw", undefined],
      ["models", "security@example.com"],
    ]);
  });

  it("lets no exception cover another policy, nor anything from its expiry on", () => {
    expect(find([closed], "production", [exception({ policy: "has-budget" })]).every(refuses)).toBe(true);
    const expired = exception({ expiresAt: now.toISOString() });
    expect(find([closed], "production", [expired]).every(refuses)).toBe(true);
  });

  it("decides nothing from what isn't known yet, and the rest all the same", () => {
    const hidden = one("s3/bucket:Bucket", "hidden", { open: notYetKnown });
    const stack = stackOf([hidden, raw], { program: "pipeline", profile: "production", adopted: [] });
    expect(evaluate([closed], stack).map(({ resource }) => resource?.name)).toEqual(["raw"]);
  });
});
