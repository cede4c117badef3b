import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { releaseMachine, trafficSteps } from "../../../programs/delivery/release-machine.ts";
import { type State, type StateMachine, successors } from "../../../programs/delivery/state-language.ts";
import { aSpec } from "../support/inputs.ts";

type Serving = NonNullable<Parameters<typeof aSpec>[0]>["serving"];

function machine(serving: Serving = {}): StateMachine {
  return JSON.parse(
    releaseMachine({
      serving: aSpec({ serving }).serving,
      partition: "aws",
      functionArns: { release: "arn:release", verify: "arn:verify" },
      trainingPipelineName: "training",
      deliveredImages: { ProgramImage: "registry/training", InferenceImage: "registry/inference" },
    }),
  ) as StateMachine;
}

const state = ({ States }: StateMachine, name: string): State => {
  const found = States[name];
  if (found === undefined) throw new Error(`There is no state ${name}`);
  return found;
};

/** The states that are passed when everything goes well. */
function goodWay(of: StateMachine): string[] {
  const way: string[] = [];
  for (let name: string | undefined = "VerifySignature"; name !== undefined; ) {
    way.push(name);
    const next: State = state(of, name);
    name =
      next.Type === "Choice"
        ? next.Choices.at(-1)?.Next
        : next.Type === "Task" || next.Type === "Wait"
          ? next.Next
          : undefined;
  }
  return way;
}

const payload = (of: StateMachine, name: string) => {
  const found = state(of, name);
  return found.Type === "Task" ? (found.Parameters as { Payload: unknown }).Payload : undefined;
};

const failureOf = (of: StateMachine, name: string) => {
  const found = state(of, name);
  return found.Type === "Task" ? found.Catch?.[0]?.Next : undefined;
};

describe("a release", () => {
  it("verifies, tries, shifts step by step, watches each step and records", () => {
    expect(goodWay(machine({ rollout: { canaryPercent: 10, stepPercent: 45, bakeMinutes: 5 } }))).toEqual([
      "VerifySignature",
      "Plan",
      "IsNeeded",
      "DeployDev",
      "IntegrationTests",
      "DeployStaging",
      "SmokeTests",
      "ShiftTo10Percent",
      "BakeAt10Percent",
      "WatchAt10Percent",
      "ShiftTo55Percent",
      "BakeAt55Percent",
      "WatchAt55Percent",
      "ShiftTo100Percent",
      "BakeAt100Percent",
      "WatchAt100Percent",
      "Record",
      "Released",
    ]);
  });

  it("bakes as long as the spec says", () => {
    expect(state(machine({ rollout: { bakeMinutes: 7 } }), "BakeAt10Percent")).toMatchObject({
      Seconds: 420,
    });
  });

  it.each(["realtime", "lambda", "ecs"] as const)("lets AWS shift the traffic of %s and follows", (mode) => {
    const of = machine({ mode });
    expect(goodWay(of).slice(-6)).toEqual([
      "StartShift",
      "AwaitShift",
      "FollowShift",
      "IsShifted",
      "Record",
      "Released",
    ]);
    expect(payload(of, "StartShift")).toMatchObject({ canaryPercent: 10, stepPercent: 20, bakeMinutes: 10 });
    expect(successors(state(of, "IsShifted"))).toEqual(["AwaitShift", "Record", "RollBack"]);
  });

  it("verifies with the function that can do nothing else", () => {
    expect(state(machine(), "VerifySignature")).toMatchObject({ Parameters: { FunctionName: "arn:verify" } });
  });

  it("is refused before anything is deployed when the signature is wrong", () => {
    expect(failureOf(machine(), "VerifySignature")).toBe("Refused");
    expect(state(machine(), "Refused").Type).toBe("Fail");
  });

  it.each(["DeployDev", "IntegrationTests", "DeployStaging", "SmokeTests"])(
    "that fails at %s withdraws its trials and touches no traffic",
    (name) => {
      expect(failureOf(machine(), name)).toBe("Withdraw");
      expect(payload(machine(), "Withdraw")).toMatchObject({ task: "roll-back", scope: "trials" });
    },
  );

  it.each(["ShiftTo10Percent", "WatchAt10Percent", "WatchAt100Percent", "Record"])(
    "that fails at %s gives all traffic back to the recorded version",
    (name) => {
      expect(failureOf(machine(), name)).toBe("RollBack");
      expect(payload(machine(), "RollBack")).toMatchObject({ task: "roll-back", scope: "traffic" });
    },
  );

  it("ends as failed even when going back succeeds", () => {
    expect(state(machine(), "RolledBack").Type).toBe("Fail");
    expect(failureOf(machine(), "RollBack")).toBe("LeftHalfway");
  });

  it("names itself in every task, so that a task that is repeated is done once", () => {
    const of = machine();
    const tasks = Object.entries(of.States).filter(
      ([name, each]) => each.Type === "Task" && !["VerifySignature", "Retrain"].includes(name),
    );
    for (const [name] of tasks) {
      expect(payload(of, name), name).toMatchObject({
        "releaseId.$": "$$.Execution.Name",
        "modelPackageArn.$": "$.modelPackageArn",
      });
    }
  });

  it("waits for slow work by asking again", () => {
    const deploy = state(machine(), "DeployDev");
    expect(deploy.Type === "Task" && deploy.Retry?.flatMap(({ ErrorEquals }) => ErrorEquals)).toContain(
      "NotYet",
    );
  });
});

describe("new code", () => {
  it("trains with its images and releases nothing itself", () => {
    const of = machine();
    expect(successors(state(of, "Start"))).toEqual(["Retrain", "VerifySignature"]);
    expect(state(of, "Retrain")).toMatchObject({
      Resource: "arn:aws:states:::aws-sdk:sagemaker:startPipelineExecution",
      End: true,
      Parameters: {
        PipelineName: "training",
        PipelineParameters: [
          { Name: "ProgramImage", "Value.$": "States.Format('registry/training:{}', $.imageTag)" },
          { Name: "InferenceImage", "Value.$": "States.Format('registry/inference:{}', $.imageTag)" },
          { Name: "Trigger", Value: "code" },
        ],
      },
    });
  });
});

describe("steps of traffic", () => {
  it("begin with the canary, grow, and end with everything", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 5, max: 50 }),
        (canaryPercent, stepPercent) => {
          const steps = trafficSteps({ canaryPercent, stepPercent, bakeMinutes: 1 });
          expect(steps[0]).toBe(canaryPercent);
          expect(steps.at(-1)).toBe(100);
          expect(steps).toEqual([...new Set(steps)].toSorted((one, other) => one - other));
        },
      ),
    );
  });
});
