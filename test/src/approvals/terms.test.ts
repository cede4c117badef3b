import { describe, expect, it } from "vitest";
import { type PipelineSpec, parseSpec } from "../../../programs/spec.ts";
import { specProblems } from "../../../programs/spec-rules.ts";
import { pipelineTerms } from "../../../src/approvals/terms.ts";
import { type Document, validSpec } from "../../support/builders.ts";

const spec = (change: Document = {}): PipelineSpec =>
  parseSpec(validSpec((one) => Object.assign(one, change)));
const codes = (...args: Parameters<typeof pipelineTerms>) =>
  pipelineTerms(...args).reasons.map(({ code }) => code);

describe("the terms of a pipeline's approvals", () => {
  it("are none in learning, and one approver within three days in production", () => {
    expect(pipelineTerms(undefined, spec(), undefined)).toEqual({
      reasons: [],
      firstCreation: true,
      needed: 1,
      from: ["approver"],
      expiresAfterHours: 72,
    });
    expect(pipelineTerms(undefined, spec({ profile: "production" }), undefined)).toMatchObject({
      reasons: [{ code: "production" }],
      needed: 1,
    });
  });

  it("hold for the way out of production too", () => {
    expect(codes(spec({ profile: "production" }), spec(), undefined)).toEqual(["production"]);
  });

  it("are the stricter ones of what was applied and what is asked for, whichever has them", () => {
    const strict = spec({ approvals: { required: 3, from: ["approver"], expiresAfterHours: 2 } });
    const loose = spec({
      approvals: { required: 0, from: ["approver", "maintainer"], expiresAfterHours: 9 },
    });
    for (const [applied, desired] of [
      [strict, loose],
      [loose, strict],
    ] as const) {
      expect(pipelineTerms(applied, desired, undefined)).toMatchObject({
        reasons: [{ code: "spec" }],
        needed: 3,
        from: ["approver"],
        expiresAfterHours: 2,
      });
    }
  });

  it("keep to those who could approve before, where a change names only others", () => {
    const before = spec({ approvals: { required: 1, from: ["approver"] } });
    const after = spec({ approvals: { required: 1, from: ["maintainer"] } });
    expect(pipelineTerms(before, after, undefined).from).toEqual(["approver"]);
  });

  it("ask for the budget only where it grows and the team's doesn't suffice", () => {
    const budget = (monthlyUsd: number) => spec({ budget: { monthlyUsd } });
    const over = { limitUsd: 100, totalUsd: 101 };
    expect(codes(budget(20), budget(21), over)).toEqual(["budget"]);
    expect(codes(undefined, budget(1), over)).toEqual(["budget"]);
    expect(codes(budget(21), budget(20), over)).toEqual([]);
    expect(codes(budget(20), budget(20), over)).toEqual([]);
    expect(codes(budget(20), budget(21), { ...over, totalUsd: 100 })).toEqual([]);
    expect(codes(budget(20), budget(21), { ...over, limitUsd: undefined })).toEqual([]);
  });
});

describe("a spec", () => {
  it("in production can't do without approvals", () => {
    const problems = specProblems(spec({ profile: "production", approvals: { required: 0 } }));
    expect(problems).toContainEqual(expect.objectContaining({ path: "/approvals/required" }));
    expect(specProblems(spec({ approvals: { required: 0 } }))).toEqual([]);
  });
});
