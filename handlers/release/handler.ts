import { setTimeout as sleep } from "node:timers/promises";
import type { Environment } from "../runtime/environment.ts";
import { type Hook, type MachineTask, parseEvent, type Rollback, type Trial } from "./event.ts";
import { NotYet } from "./failures.ts";
import { tryWhatServes } from "./first-trial.ts";
import { answerHook } from "./hook.ts";
import { runTask, type TaskAnswer } from "./machine-tasks.ts";
import { rollBackRelease } from "./rollback.ts";
import { createSurroundings, type Surroundings } from "./surroundings.ts";

const PAUSE_MS = 15_000;

/**
 * Does one task of the release machine, a rollback, or a test that CodeDeploy or an update of the pipeline asks for. Throws `NotYet` where
 * AWS needs more time, and `ReleaseFailed` under its code where the release can't go on.
 */
export function createHandler(
  env: Environment,
  {
    now = () => new Date(),
    pause = () => sleep(PAUSE_MS),
  }: Partial<Pick<Surroundings, "now" | "pause">> = {},
): (event: unknown) => Promise<TaskAnswer> {
  const around = createSurroundings(env, { now, pause });
  const { logger } = around.telemetry;
  return async (event) => {
    const wanted = parseEvent(event);
    const about = aboutOf(wanted);
    try {
      const answer = await dispatch(around, wanted);
      logger.info("Done", { ...about, ...answer });
      return answer;
    } catch (error) {
      if (error instanceof NotYet) logger.info("Not yet", { ...about, reason: error.message });
      else logger.error("Failed", { ...about, error: error as Error });
      throw error;
    }
  };
}

async function dispatch(
  around: Surroundings,
  event: MachineTask | Rollback | Trial | Hook,
): Promise<TaskAnswer> {
  if ("DeploymentId" in event) {
    await answerHook(around, event);
    return { outcome: "answered" };
  }
  if ("trigger" in event) return { outcome: await rollBackRelease(around, event) };
  if (event.task === "try") return { outcome: await tryWhatServes(around) };
  return runTask(around, event);
}

function aboutOf(event: MachineTask | Rollback | Trial | Hook): Record<string, string> {
  if ("DeploymentId" in event) return { deploymentId: event.DeploymentId };
  if ("trigger" in event) return { task: event.task, trigger: event.trigger };
  if (event.task === "try") return { task: event.task };
  const { task, releaseId, modelPackageArn } = event;
  return { task, releaseId, modelPackageArn };
}
