import {
  GetDeploymentCommand,
  InvalidLifecycleEventHookExecutionStatusException,
  LifecycleEventAlreadyCompletedException,
  PutLifecycleEventHookExecutionStatusCommand,
} from "@aws-sdk/client-codedeploy";
import type { Hook } from "./event.ts";
import { ReleaseFailed } from "./failures.ts";
import { askTasks } from "./load-balancer.ts";
import { samplesFor } from "./machine-tasks.ts";
import { TaskBackend } from "./settings.ts";
import type { Surroundings } from "./surroundings.ts";
import { tryVersion } from "./trial.ts";

/**
 * Tries new tasks through the test listener and tells CodeDeploy whether callers may have them. A deployment that no release started
 * is refused; what is answered twice was answered already.
 */
export async function answerHook(around: Surroundings, event: Hook): Promise<void> {
  const { clients, telemetry } = around;
  let status: "Succeeded" | "Failed" = "Succeeded";
  try {
    await tryDeployment(around, event.DeploymentId);
  } catch (error) {
    if (!(error instanceof ReleaseFailed)) throw error;
    telemetry.logger.warn("The new tasks were refused", error);
    status = "Failed";
  }
  try {
    await clients.codeDeploy.send(
      new PutLifecycleEventHookExecutionStatusCommand({
        deploymentId: event.DeploymentId,
        lifecycleEventHookExecutionId: event.LifecycleEventHookExecutionId,
        status,
      }),
    );
  } catch (error) {
    const isAnswered =
      error instanceof LifecycleEventAlreadyCompletedException ||
      error instanceof InvalidLifecycleEventHookExecutionStatusException;
    if (!isAnswered) throw error;
  }
}

async function tryDeployment(around: Surroundings, deploymentId: string): Promise<void> {
  const { clients, ledger, settings } = around;
  const { deploymentInfo } = await clients.codeDeploy.send(new GetDeploymentCommand({ deploymentId }));
  const holder = await ledger.holder();
  const releaseId = deploymentInfo?.description;
  // CodeDeploy may call before the release has noted which deployment is its own.
  const state =
    holder !== undefined && holder.releaseId === releaseId ? await ledger.release(releaseId) : undefined;
  if (state === undefined)
    throw new ReleaseFailed("Superseded", `No release under way started ${deploymentId}`);
  const backend = await settings.document("serving/backend", TaskBackend);
  const current = await around.current();
  const samples = await samplesFor(around, { version: state.version, settings: current });
  await tryVersion(
    samples,
    (request) => askTasks(backend, "trials", request),
    current.thresholds.apiLatencyMs,
  );
}
