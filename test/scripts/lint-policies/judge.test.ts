import { describe, expect, it } from "vitest";
import type { Statement } from "../../../programs/policy-document.ts";
import { EXCEPTIONS, type Exceptions } from "../../../scripts/lint-policies/exceptions.ts";
import { judge, prepare } from "../../../scripts/lint-policies/judge.ts";
import type { RawFinding } from "../../../scripts/lint-policies/parliament.ts";

const NONE: Exceptions = { actions: [], findings: [] };
const justified = { why: "new", source: "https://docs.aws.amazon.com/x", checked: "2026-11-23" };

const read: Statement = {
  Sid: "Read",
  Effect: "Allow",
  Action: ["s3:GetObject", "s3:GetNewThing"],
  Resource: "arn:aws:s3:::a/*",
};
const trust: Statement = {
  Sid: "Trust",
  Effect: "Allow",
  Principal: { Service: "lambda.amazonaws.com" },
  Action: "sts:AssumeRole",
};
const aFinding = (change: Partial<RawFinding> = {}): RawFinding => ({
  issue: "INVALID_ARN",
  severity: "MEDIUM",
  title: "Invalid ARN",
  detail: "",
  line: 2,
  ...change,
});

describe("a document as parliament gets it", () => {
  it("has a statement a line, under the line's own number", () => {
    const { text, lines: statements } = prepare([read, trust], NONE);
    const lines = text.split("\n");
    expect(lines[1]).toContain('"Sid":"Read"');
    expect(lines[2]).toContain('"Sid":"Trust"');
    expect([statements[2]?.Sid, statements[3]?.Sid]).toEqual(["Read", "Trust"]);
    expect(JSON.parse(text).Statement).toHaveLength(2);
  });

  it("says what a policy without resources means: whatever carries it", () => {
    expect(JSON.parse(prepare([trust], NONE).text).Statement[0].Resource).toBe("*");
    expect(JSON.parse(prepare([read], NONE).text).Statement[0].Resource).toBe("arn:aws:s3:::a/*");
  });

  it("leaves out excepted actions, and says which exceptions that took", () => {
    const exception = { action: "s3:GetNewThing", ...justified };
    const other = { action: "s3:GetOtherThing", ...justified };
    const { text, excepted } = prepare([read], { ...NONE, actions: [exception, other] });
    expect(JSON.parse(text).Statement[0].Action).toEqual(["s3:GetObject"]);
    expect([...excepted]).toEqual([exception]);
  });

  it("leaves out a statement of which nothing remains, and still names the next one right", () => {
    const actions = ["s3:GetObject", "s3:GetNewThing"].map((action) => ({ action, ...justified }));
    const { text, lines } = prepare([read, trust], { ...NONE, actions });
    expect(JSON.parse(text).Statement).toHaveLength(1);
    expect(lines[2]?.Sid).toBe("Trust");
  });

  it("keeps a statement of all actions but a few", () => {
    const { Action: _, ...rest } = read;
    const statement = { ...rest, NotAction: ["iam:*"] } as unknown as Statement;
    expect(JSON.parse(prepare([statement], NONE).text).Statement[0]).toEqual(statement);
  });
});

describe("the verdict on a document", () => {
  const prepared = prepare([read, trust], NONE);
  const refusedIssues = (raw: readonly RawFinding[], exceptions = NONE) =>
    judge(prepared, raw, exceptions).refused.map(({ issue }) => issue);

  it("refuses what is above low", () => {
    const raw = (["INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL"] as const).map((severity) =>
      aFinding({ severity, issue: severity }),
    );
    expect(refusedIssues(raw)).toEqual(["MEDIUM", "HIGH", "CRITICAL"]);
  });

  it.each(["UNKNOWN_ACTION", "UNKNOWN_PREFIX", "INVALID_SID"])(
    "refuses %s although it is low: the rest of the statement was not looked at",
    (issue) => {
      expect(refusedIssues([aFinding({ issue, severity: "LOW" })])).toEqual([issue]);
    },
  );

  it("names the statement, or none for a finding about the whole document", () => {
    const { refused } = judge(prepared, [aFinding({ line: 3 }), aFinding({ line: null })], NONE);
    expect(refused.map(({ statement }) => statement)).toEqual(["Trust", undefined]);
  });

  it("tells once what is said several times of one statement", () => {
    expect(refusedIssues([aFinding(), aFinding(), aFinding({ line: 3 })])).toHaveLength(2);
  });

  describe("on actions that fit no resource", () => {
    const mismatch = (pairs: readonly (readonly [action: string, format: string])[]) =>
      aFinding({
        issue: "RESOURCE_MISMATCH",
        title: "No resource",
        detail: JSON.stringify(pairs.map(([action, format]) => ({ action, required_format: format }))),
      });
    const refused = (statements: readonly Statement[], pairs: readonly (readonly [string, string])[]) =>
      judge(prepare(statements, NONE), [mismatch(pairs)], NONE).refused.map(({ text }) => text);

    it("tells each action and what it needs", () => {
      expect(refused([read], [["s3:getobject", "arn:*:s3:*:*:job/*"]])).toEqual([
        "No resource: s3:getobject needs arn:*:s3:*:*:job/*",
      ]);
    });

    it("does not blame a wildcard for the actions that don't fit", () => {
      expect(refused([{ ...read, Action: "s3:List*" }], [["s3:ListJobs", "*"]])).toEqual([]);
    });

    it("accepts what another statement of the document gives", () => {
      const job = "arn:*:s3:*:*:job/*";
      const other: Statement = { ...read, Sid: "Other", Resource: "arn:aws:s3:eu-west-1:1:job/aidlc-*" };
      expect(refused([read, other], [["s3:GetObject", job]])).toEqual([]);
      expect(refused([read, { ...other, Effect: "Deny" }], [["s3:GetObject", job]])).toHaveLength(1);
      expect(refused([read, { ...other, Action: "s3:PutObject" }], [["s3:GetObject", job]])).toHaveLength(1);
    });

    it("wants an asterisk for an action that knows no resources", () => {
      expect(refused([read], [["s3:GetObject", "*"]])).toHaveLength(1);
      expect(refused([read, { ...read, Resource: "*" }], [["s3:GetObject", "*"]])).toEqual([]);
    });
  });

  it("accepts a finding that is known to be wrong, and no other", () => {
    const exception = { issue: "MISMATCHED_TYPE", detail: /^tls$/, ...justified };
    const raw = [
      aFinding({ issue: "MISMATCHED_TYPE", detail: "tls" }),
      aFinding({ issue: "MISMATCHED_TYPE", detail: "arn" }),
      aFinding({ detail: "tls" }),
    ];
    const { refused, excepted } = judge(prepared, raw, { ...NONE, findings: [exception] });
    expect(refused.map(({ issue, text }) => [issue, text])).toEqual([
      ["MISMATCHED_TYPE", "Invalid ARN: arn"],
      ["INVALID_ARN", "Invalid ARN: tls"],
    ]);
    expect([...excepted]).toEqual([exception]);
  });
});

it("gives every exception a reason, a page of AWS and the day it was looked at", () => {
  for (const { why, source, checked } of [...EXCEPTIONS.actions, ...EXCEPTIONS.findings]) {
    expect(why.length).toBeGreaterThan(20);
    expect(source).toMatch(/^https:\/\/(docs\.aws\.amazon\.com|repost\.aws)\//);
    expect(new Date(checked).toISOString().slice(0, 10)).toBe(checked);
  }
});
