import { createHash } from "node:crypto";
import {
  type CodeDeployClient,
  CreateDeploymentCommand,
  DeploymentAlreadyCompletedException,
  DeploymentLimitExceededException,
  GetDeploymentCommand,
  paginateListDeployments,
  StopDeploymentCommand,
} from "@aws-sdk/client-codedeploy";
import type { ReleaseState } from "./documents.ts";
import { NotYet } from "./failures.ts";
import type { ShiftOutcome } from "./serving.ts";
import type { Place } from "./settings.ts";

/** Deployments of the pipeline's one deployment group. */
export interface Deployments {
  /**
   * Starts a deployment, or returns the one that was started under this name since then: CodeDeploy takes no token, and a repetition
   * must not shift twice. Throws `NotYet` while another one is under way.
   */
  start(wanted: {
    readonly name: string;
    readonly since: Date;
    readonly appSpec: unknown;
    /** Another way to shift than the group's. */
    readonly configName?: string;
  }): Promise<string>;
  outcome(deploymentId: string): Promise<ShiftOutcome>;
  /** Has CodeDeploy end a release's deployment and give the traffic back. False where there is none, or it has ended. */
  stop(state: Pick<ReleaseState, "releaseId" | "askedAt" | "deploymentId" | "state">): Promise<boolean>;
}

export function createDeployments(codeDeploy: CodeDeployClient, { named }: Place): Deployments {
  const group = { applicationName: named("serving"), deploymentGroupName: named("serving") };

  const describe = async (deploymentId: string) =>
    (await codeDeploy.send(new GetDeploymentCommand({ deploymentId }))).deploymentInfo;

  const started = async (name: string, since: Date) => {
    const pages = paginateListDeployments(
      { client: codeDeploy },
      { ...group, createTimeRange: { start: since } },
    );
    for await (const { deployments = [] } of pages) {
      for (const id of deployments) if ((await describe(id))?.description === name) return id;
    }
    return undefined;
  };

  const outcome: Deployments["outcome"] = async (deploymentId) => {
    const status = (await describe(deploymentId))?.status;
    if (status === "Succeeded") return "shifted";
    return status === "Failed" || status === "Stopped" ? "failed" : "running";
  };

  return {
    start: async ({ name, since, appSpec, configName }) => {
      const before = await started(name, since);
      if (before !== undefined) return before;
      const content = JSON.stringify(appSpec);
      try {
        const { deploymentId = "" } = await codeDeploy.send(
          new CreateDeploymentCommand({
            ...group,
            description: name,
            revision: {
              revisionType: "AppSpecContent",
              appSpecContent: { content, sha256: createHash("sha256").update(content).digest("hex") },
            },
            ...(configName !== undefined && { deploymentConfigName: configName }),
          }),
        );
        return deploymentId;
      } catch (cause) {
        if (!(cause instanceof DeploymentLimitExceededException)) throw cause;
        throw new NotYet("Another deployment of the group is under way", { cause });
      }
    },
    outcome,
    stop: async ({ releaseId, askedAt, deploymentId, state }) => {
      if (state !== "shifting") return false;
      // It may have been started right before a crash.
      const id = deploymentId ?? (await started(releaseId, new Date(askedAt)));
      if (id === undefined || (await outcome(id)) !== "running") return false;
      try {
        await codeDeploy.send(new StopDeploymentCommand({ deploymentId: id, autoRollbackEnabled: true }));
        return true;
      } catch (error) {
        if (error instanceof DeploymentAlreadyCompletedException) return false;
        throw error;
      }
    },
  };
}
