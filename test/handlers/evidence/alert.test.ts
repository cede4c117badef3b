import { describe, expect, it } from "vitest";
import { alertOf } from "../../../handlers/evidence/alert.ts";
import type { Finding, State } from "../../../handlers/evidence/judge.ts";
import { CONTROLS, type Control } from "../../../programs/frameworks.ts";

const DOCUMENT = "s3://access-logs/evidence/2026/11/30/2026-11-30T04:00:00.000Z.json";
const finding = (state: State, more: Partial<Finding> = {}): Finding => ({
  id: `a ${state} one`,
  state,
  evidence: "AWS says so",
  ...more,
});
const told = (lacking: Partial<Record<Control, Finding[]>>) =>
  alertOf(
    (Object.keys(CONTROLS) as Control[]).map((control) => ({
      control,
      resources: [finding("effective"), ...(lacking[control] ?? [])],
    })),
    DOCUMENT,
  );

describe("what people are told of a reading", () => {
  it("is nothing where all is in effect, or lacks only what the spec does not ask for", () => {
    expect(told({})).toBeUndefined();
    expect(told({ backupAndRecovery: [finding("partial", { isSpecified: true })] })).toBeUndefined();
  });

  it.each([
    ["critical", "missing"],
    ["warning", "partial"],
    ["warning", "unknown"],
  ] as const)("is %s where a resource is %s, as bad as the worst of them", (severity, state) => {
    expect(told({ leastPrivilege: [finding(state)], dataLineage: [finding("unknown")] })?.severity).toBe(
      severity,
    );
  });

  it("names the reading, each control and its resources, and none that is in effect", () => {
    const missing = finding("missing");
    const partial = finding("partial");
    expect(told({ leastPrivilege: [missing, partial], dataRetention: [partial] })?.alert).toMatchObject({
      title: "Controls are not in effect: leastPrivilege, dataRetention",
      code: "controls_not_in_effect",
      detail: {
        document: DOCUMENT,
        controls: { leastPrivilege: [missing, partial], dataRetention: [partial] },
      },
    });
  });

  it("says what to do about what is not in effect, and what about what could not be read", () => {
    const remedyFor = (state: State) => told({ leastPrivilege: [finding(state)] })?.alert.remedy;
    expect(remedyFor("partial")).toMatch(/^(?!.*Invoke).*POST …\/reconciliations/);
    expect(remedyFor("unknown")).toMatch(/^(?!.*reconciliations).*Invoke the function evidence again/);
    expect(told({ leastPrivilege: [finding("unknown")] })?.alert.title).toBe(
      "Controls could not be read: leastPrivilege",
    );
  });
});
