import type { PipelineSpec } from "../spec.ts";
import { type State, type StateMachine, stateMachineProblems } from "./state-language.ts";

export interface ReleaseMachineArgs {
  readonly serving: PipelineSpec["serving"];
  readonly partition: string;
  readonly functionArns: { readonly release: string; readonly verify: string };
  /** What a delivery of new code starts: it trains with the new images. */
  readonly trainingPipelineName: string;
  /** Repositories, without a tag, by the execution parameter that a delivery of code sets. */
  readonly deliveredImages: Readonly<Record<string, string>>;
}

/** What the machine is started with. `code` comes from a delivery, `approval` from the registry, `person` from the API. */
export type ReleaseInput =
  | { readonly trigger: "approval" | "person"; readonly modelPackageArn: string }
  | { readonly trigger: "code"; readonly imageTag: string };

/** Tasks of the function `release`; each is done once however often it is asked for. */
export type ReleaseTask =
  | "plan"
  | "deploy"
  | "test"
  | "shift"
  | "watch"
  | "start-shift"
  | "follow-shift"
  | "record"
  | "roll-back";

const LAMBDA_TROUBLE = [
  "Lambda.ServiceException",
  "Lambda.AWSLambdaException",
  "Lambda.SdkClientException",
  "Lambda.TooManyRequestsException",
];

/** A shift of CodeDeploy's may take 48 hours, and an execution has room for 25,000 events, of which each look takes nine. */
const POLL_SECONDS = 120;

/** How long a task that says "not yet" is asked again. */
interface Patience {
  readonly intervalSeconds: number;
  readonly attempts: number;
}

/** Endpoints take minutes. */
const MINUTES: Patience = { intervalSeconds: 30, attempts: 60 };
/** Of what waits for a whole release to end: another one that is under way, or this one's shift before it can be undone. */
const DAYS: Patience = { intervalSeconds: 120, attempts: 48 * 30 };

/** Shares of the traffic that a version gets one after the other: the canary, then steps, then all of it. */
export function trafficSteps({ canaryPercent, stepPercent }: PipelineSpec["serving"]["rollout"]): number[] {
  const steps = [];
  for (let percent = canaryPercent; percent < 100; percent += stepPercent) steps.push(percent);
  return [...steps, 100];
}

interface Invocation {
  readonly functionArn: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly resultPath: string | null;
  readonly onFailure: string;
  readonly next: string;
  readonly patience?: Patience;
}

/** Names the states; the definition is the object's own order of them. */
class Machine {
  readonly states: Record<string, State> = {};
  readonly #args: ReleaseMachineArgs;

  constructor(args: ReleaseMachineArgs) {
    this.#args = args;
  }

  invoke(name: string, invocation: Invocation): void {
    const { functionArn, payload, resultPath, onFailure, next, patience = MINUTES } = invocation;
    this.states[name] = {
      Type: "Task",
      Resource: `arn:${this.#args.partition}:states:::lambda:invoke`,
      Parameters: { FunctionName: functionArn, Payload: payload },
      ...(resultPath !== null && { ResultSelector: { "outcome.$": "$.Payload.outcome" } }),
      ResultPath: resultPath,
      TimeoutSeconds: 900,
      Retry: [
        {
          ErrorEquals: LAMBDA_TROUBLE,
          IntervalSeconds: 2,
          MaxAttempts: 6,
          BackoffRate: 2,
          JitterStrategy: "FULL",
        },
        {
          ErrorEquals: ["NotYet"],
          IntervalSeconds: patience.intervalSeconds,
          MaxAttempts: patience.attempts,
          BackoffRate: 1,
        },
      ],
      Catch: [{ ErrorEquals: ["States.ALL"], Next: onFailure, ResultPath: "$.failure" }],
      Next: next,
    };
  }

  task(
    name: string,
    task: ReleaseTask,
    { next, onFailure, detail }: { next: string; onFailure: string; detail?: object },
  ) {
    const asks = task === "plan" || task === "follow-shift";
    this.invoke(name, {
      functionArn: this.#args.functionArns.release,
      payload: {
        task,
        ...detail,
        "modelPackageArn.$": "$.modelPackageArn",
        "releaseId.$": "$$.Execution.Name",
      },
      resultPath: asks ? "$.answer" : null,
      onFailure,
      next,
      patience: task === "plan" || task === "roll-back" ? DAYS : MINUTES,
    });
  }
}

/** Callers have seen nothing of the version yet: what tried it is removed and what serves stays. */
const BEFORE_TRAFFIC = "Withdraw";
/** Callers may have seen the version: the recorded one gets all of the traffic back. */
const DURING_TRAFFIC = "RollBack";

/** Serverless endpoints have one variant each, so our own gate divides the traffic and the machine watches. */
function stepThroughTraffic(machine: Machine, { rollout }: PipelineSpec["serving"]): string {
  const steps = trafficSteps(rollout);
  const name = (what: string, percent: number) => `${what}${percent}Percent`;
  for (const [index, percent] of steps.entries()) {
    const next = steps[index + 1];
    machine.task(name("ShiftTo", percent), "shift", {
      detail: { percent },
      next: name("BakeAt", percent),
      onFailure: DURING_TRAFFIC,
    });
    machine.states[name("BakeAt", percent)] = {
      Type: "Wait",
      Seconds: rollout.bakeMinutes * 60,
      Next: name("WatchAt", percent),
    };
    machine.task(name("WatchAt", percent), "watch", {
      detail: { percent, minutes: rollout.bakeMinutes },
      next: next === undefined ? "Record" : name("ShiftTo", next),
      onFailure: DURING_TRAFFIC,
    });
  }
  return name("ShiftTo", steps[0] ?? 100);
}

/** SageMaker's deployment guardrails and CodeDeploy shift, bake, watch the alarms and turn back by themselves. */
function followTraffic(machine: Machine, { rollout }: PipelineSpec["serving"]): string {
  machine.task("StartShift", "start-shift", {
    detail: { ...rollout },
    next: "AwaitShift",
    onFailure: DURING_TRAFFIC,
  });
  machine.states.AwaitShift = { Type: "Wait", Seconds: POLL_SECONDS, Next: "FollowShift" };
  machine.task("FollowShift", "follow-shift", { next: "IsShifted", onFailure: DURING_TRAFFIC });
  machine.states.IsShifted = {
    Type: "Choice",
    Choices: [
      { Variable: "$.answer.outcome", StringEquals: "running", Next: "AwaitShift" },
      { Variable: "$.answer.outcome", StringEquals: "shifted", Next: "Record" },
    ],
    Default: DURING_TRAFFIC,
  };
  return "StartShift";
}

function endings(machine: Machine): void {
  machine.task("Record", "record", { next: "Released", onFailure: DURING_TRAFFIC });
  machine.states.Released = { Type: "Succeed" };
  machine.states.NothingToRelease = {
    Type: "Succeed",
    Comment: "The version is released already, or a newer release is under way",
  };
  const undo = (name: string, detail: object, next: string) =>
    machine.task(name, "roll-back", { detail, next, onFailure: "LeftHalfway" });
  undo(BEFORE_TRAFFIC, { scope: "trials" }, "Refused");
  undo(DURING_TRAFFIC, { scope: "traffic" }, "RolledBack");
  machine.states.Refused = {
    Type: "Fail",
    Error: "Refused",
    Cause: "The version failed before callers saw it; the failed state tells why",
  };
  machine.states.RolledBack = {
    Type: "Fail",
    Error: "RolledBack",
    Cause: "The version failed under traffic; the recorded version serves again",
  };
  machine.states.LeftHalfway = {
    Type: "Fail",
    Error: "LeftHalfway",
    Cause: "Going back failed too: somebody must look at what serves and roll back by hand",
  };
}

/** New code is never released without a model that was trained by it: it trains one, which then waits for approval. */
function retrain({ partition, trainingPipelineName, deliveredImages }: ReleaseMachineArgs): State {
  return {
    Type: "Task",
    Resource: `arn:${partition}:states:::aws-sdk:sagemaker:startPipelineExecution`,
    Parameters: {
      PipelineName: trainingPipelineName,
      // The same execution asks once, however often the call is repeated.
      "ClientRequestToken.$": "States.Hash($$.Execution.Id, 'SHA-256')",
      PipelineParameters: [
        ...Object.entries(deliveredImages).map(([Name, url]) => ({
          Name,
          "Value.$": `States.Format('${url}:{}', $.imageTag)`,
        })),
        { Name: "Trigger", Value: "code" },
      ],
    },
    ResultPath: "$.training",
    TimeoutSeconds: 60,
    Retry: [
      {
        ErrorEquals: ["States.ALL"],
        IntervalSeconds: 5,
        MaxAttempts: 5,
        BackoffRate: 2,
        JitterStrategy: "FULL",
      },
    ],
    End: true,
  };
}

/**
 * The way of a model version to its callers: verified signature → dev → integration tests → staging → smoke tests →
 * canary → steps → all → recorded; what fails goes back. Nothing in it names a version, so it can be started for any.
 */
export function releaseMachine(args: ReleaseMachineArgs): string {
  const machine = new Machine(args);
  const { states } = machine;
  states.Start = {
    Type: "Choice",
    Choices: [{ Variable: "$.trigger", StringEquals: "code", Next: "Retrain" }],
    Default: "VerifySignature",
  };
  states.Retrain = retrain(args);
  machine.invoke("VerifySignature", {
    functionArn: args.functionArns.verify,
    payload: { "modelPackageArn.$": "$.modelPackageArn" },
    resultPath: null,
    onFailure: "Refused",
    next: "Plan",
  });
  machine.task("Plan", "plan", { next: "IsNeeded", onFailure: "Refused" });
  states.IsNeeded = {
    Type: "Choice",
    Choices: [{ Variable: "$.answer.outcome", StringEquals: "release", Next: "DeployDev" }],
    Default: "NothingToRelease",
  };
  const shift =
    args.serving.mode === "serverless"
      ? stepThroughTraffic(machine, args.serving)
      : followTraffic(machine, args.serving);
  const trial = (name: string, task: "deploy" | "test", stage: "dev" | "staging", next: string) =>
    machine.task(name, task, { detail: { stage }, next, onFailure: BEFORE_TRAFFIC });
  trial("DeployDev", "deploy", "dev", "IntegrationTests");
  trial("IntegrationTests", "test", "dev", "DeployStaging");
  trial("DeployStaging", "deploy", "staging", "SmokeTests");
  trial("SmokeTests", "test", "staging", shift);
  endings(machine);
  const definition: StateMachine = {
    Comment: "Releases a model version, or trains one with new code",
    StartAt: "Start",
    TimeoutSeconds: 14 * 24 * 3600,
    States: states,
  };
  const problems = stateMachineProblems(definition);
  if (problems.length > 0) throw new Error(`The release machine is invalid: ${problems.join("; ")}`);
  return JSON.stringify(definition);
}
