import type { AwsAnswer, AwsRequest } from "../../support/aws-recorder.ts";
import { json, jsonError } from "./aws-answers.ts";
import type { LambdaDouble } from "./lambda-double.ts";

interface Deployment {
  readonly id: string;
  readonly description: string;
  readonly configName?: string;
  readonly appSpec: {
    readonly Resources: readonly Record<string, { readonly Properties: Record<string, string> }>[];
    readonly Hooks?: readonly Record<string, string>[];
  };
  status: "Created" | "InProgress" | "Succeeded" | "Failed" | "Stopped";
  /** Waits for an answer: nothing goes on before. */
  hook?: string;
}

/** CodeDeploy with one group, and the ECS service that it shifts: a look at a deployment brings it a step further. */
export class CodeDeployDouble {
  readonly deployments: Deployment[] = [];
  /** How the deployments that come next end. */
  fate: "well" | "fails" = "well";
  serves = "";
  /** Of the service, once it was made. */
  looksUntilSteady = 0;
  readonly #lambda: LambdaDouble;

  constructor(lambda: LambdaDouble) {
    this.#lambda = lambda;
  }

  createService(taskDefinitionArn: string): void {
    this.serves = taskDefinitionArn;
  }

  /** What somebody deploys beside every release. */
  startByHand(): void {
    this.deployments.push({
      id: "d-0",
      description: "by hand",
      appSpec: { Resources: [], Hooks: [] },
      status: "Created",
      hook: "hook-d-0",
    });
  }

  /** Events of hooks that wait, as CodeDeploy sends them. */
  hooks(): { readonly DeploymentId: string; readonly LifecycleEventHookExecutionId: string }[] {
    return this.deployments.flatMap(({ id, hook }) =>
      hook === undefined ? [] : [{ DeploymentId: id, LifecycleEventHookExecutionId: hook }],
    );
  }

  answer({ target, body }: AwsRequest): AwsAnswer | undefined {
    if (target === "AmazonEC2ContainerServiceV20141113.DescribeServices") return this.#service();
    const [, operation] = /^CodeDeploy_20141006\.(.+)$/.exec(target ?? "") ?? [];
    if (operation === undefined) return undefined;
    const input = JSON.parse(body);
    const found = this.deployments.find(({ id }) => id === input.deploymentId);
    switch (operation) {
      case "CreateDeployment":
        return this.#create(input);
      case "ListDeployments":
        return json({ deployments: this.deployments.map(({ id }) => id).toReversed() });
      case "GetDeployment":
        return found ? this.#describe(found) : jsonError("DeploymentDoesNotExistException", "none");
      case "StopDeployment":
        if (found === undefined || !isActive(found))
          return jsonError("DeploymentAlreadyCompletedException", "ended");
        found.status = "Stopped";
        delete found.hook;
        this.#lambda.alias.weights = {};
        return json({ status: "Pending" });
      case "PutLifecycleEventHookExecutionStatus":
        if (found?.hook !== input.lifecycleEventHookExecutionId) {
          return jsonError("LifecycleEventAlreadyCompletedException", "answered");
        }
        if (found && input.status === "Failed") found.status = "Failed";
        delete found?.hook;
        return json({ lifecycleEventHookExecutionId: input.lifecycleEventHookExecutionId });
      default:
        return undefined;
    }
  }

  #create(input: {
    readonly description: string;
    readonly deploymentConfigName?: string;
    readonly revision: { readonly appSpecContent: { readonly content: string } };
  }): AwsAnswer {
    if (this.deployments.some(isActive))
      return jsonError("DeploymentLimitExceededException", "one is active");
    const id = `d-${this.deployments.length + 1}`;
    const appSpec = JSON.parse(input.revision.appSpecContent.content);
    this.deployments.push({
      id,
      description: input.description,
      ...(input.deploymentConfigName && { configName: input.deploymentConfigName }),
      appSpec,
      status: "Created",
      ...(appSpec.Hooks && { hook: `hook-${id}` }),
    });
    return json({ deploymentId: id });
  }

  #describe(deployment: Deployment): AwsAnswer {
    const answer = json({
      deploymentInfo: {
        deploymentId: deployment.id,
        description: deployment.description,
        status: deployment.status,
      },
    });
    if (deployment.hook !== undefined || !isActive(deployment)) return answer;
    const properties = Object.values(deployment.appSpec.Resources[0] ?? {})[0]?.Properties ?? {};
    const { TargetVersion, TaskDefinition } = properties;
    if (deployment.status === "Created") {
      deployment.status = "InProgress";
      if (TargetVersion) this.#lambda.alias.weights = { [TargetVersion]: 0.1 };
    } else {
      deployment.status = this.fate === "well" ? "Succeeded" : "Failed";
      this.#lambda.alias.weights = {};
      if (this.fate === "well" && TargetVersion) this.#lambda.alias.version = TargetVersion;
      if (this.fate === "well" && TaskDefinition) this.serves = TaskDefinition;
    }
    return answer;
  }

  #service(): AwsAnswer {
    return json({
      services:
        this.serves === ""
          ? []
          : [
              {
                status: "ACTIVE",
                taskSets: [
                  {
                    status: "PRIMARY",
                    taskDefinition: this.serves,
                    stabilityStatus: this.looksUntilSteady-- > 0 ? "STABILIZING" : "STEADY_STATE",
                  },
                ],
              },
            ],
    });
  }
}

const isActive = ({ status }: Deployment) => status === "Created" || status === "InProgress";
