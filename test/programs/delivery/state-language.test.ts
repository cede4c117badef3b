import { describe, expect, it } from "vitest";
import { type StateMachine, stateMachineProblems } from "../../../programs/delivery/state-language.ts";

const machine = (States: StateMachine["States"], StartAt = "Begin"): StateMachine => ({
  Comment: "A machine",
  StartAt,
  TimeoutSeconds: 60,
  States,
});

const TASK = {
  Type: "Task",
  Resource: "arn:aws:states:::lambda:invoke",
  Parameters: {},
  ResultPath: null,
  TimeoutSeconds: 5,
} as const;

describe("a state machine", () => {
  it("is right when every state is reached and left", () => {
    expect(
      stateMachineProblems(
        machine({
          Begin: { Type: "Wait", Seconds: 1, Next: "Work" },
          Work: { ...TASK, Next: "Done" },
          Done: { Type: "Succeed" },
        }),
      ),
    ).toEqual([]);
  });

  it("begins at one of its states", () => {
    expect(stateMachineProblems(machine({ Done: { Type: "Succeed" } }))).toEqual([
      "StartAt names no state: Begin",
      "Done is never reached",
    ]);
  });

  it("leads to states only, on success, on a choice and on failure", () => {
    expect(
      stateMachineProblems(
        machine({
          Begin: {
            Type: "Choice",
            Choices: [{ Variable: "$.a", StringEquals: "b", Next: "Work" }],
            Default: "Nowhere",
          },
          Work: {
            ...TASK,
            Catch: [{ ErrorEquals: ["States.ALL"], Next: "Gone", ResultPath: "$.failure" }],
            End: true,
          },
        }),
      ),
    ).toEqual(["Begin leads to Nowhere, which is no state", "Work leads to Gone, which is no state"]);
  });

  it("has no state that is never reached", () => {
    expect(stateMachineProblems(machine({ Begin: { Type: "Succeed" }, Lost: { Type: "Succeed" } }))).toEqual([
      "Lost is never reached",
    ]);
  });

  it("leaves a task in exactly one way", () => {
    expect(stateMachineProblems(machine({ Begin: TASK }))).toEqual(["Begin must have either Next or End"]);
    expect(
      stateMachineProblems(
        machine({ Begin: { ...TASK, Next: "Done", End: true }, Done: { Type: "Succeed" } }),
      ),
    ).toEqual(["Begin must have either Next or End"]);
  });

  it.each([
    ["a task without a time limit", { ...TASK, TimeoutSeconds: undefined }],
    ["a wait of no time", { Type: "Wait", Seconds: 0, Next: "Begin" }],
    ["a type of state that there is not", { Type: "Loop" }],
    ["a choice without a default", { Type: "Choice", Choices: [] }],
  ])("is refused for %s", (_what, state) => {
    const candidate = JSON.parse(JSON.stringify(machine({ Begin: state as never }))) as StateMachine;
    expect(stateMachineProblems(candidate)).not.toEqual([]);
  });
});
