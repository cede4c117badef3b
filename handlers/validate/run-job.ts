import { accessSync, constants, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { CloudWatchClient, PutMetricDataCommand, StandardUnit } from "@aws-sdk/client-cloudwatch";
import { createAlerts } from "../runtime/alerts.ts";
import { awsClient } from "../runtime/aws.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createSettings } from "../runtime/settings.ts";
import { createTelemetry } from "../runtime/telemetry.ts";
import { fromArguments, MAX_RUNTIME_SECONDS, PROGRAM_FOLDER } from "./job-request.ts";
import type { RawObject } from "./raw-object.ts";
import { createValidation, type Measurement } from "./validation.ts";

/** For what SageMaker counts before the program runs, and for what comes behind the copy. */
const MARGIN_MS = 600_000;
/** Half of what S3 copies. */
const COPY_BYTES_PER_MS = 50_000;
/** A quarter of the smallest instance's memory. */
const MEMORY_LIMIT_MB = 4096;

/** Where the job's volume may be found: AWS documents no more than that inputs lie on it. */
const FOLDERS = [tmpdir(), "/opt/ml/processing", PROGRAM_FOLDER];

export interface JobAdjustments {
  readonly now?: () => Date;
  readonly workFolder?: string;
}

/**
 * Validates the object that the arguments name, as the function does, and returns the exit code: 0 where there is nothing left to do, 1
 * where it can be tried again. Idempotent.
 */
export async function runJob(
  env: Environment,
  args: readonly string[],
  { now = () => new Date(), workFolder = roomiest(FOLDERS) }: JobAdjustments = {},
): Promise<number> {
  const endMs = Date.now() + MAX_RUNTIME_SECONDS * 1000;
  const { AIDLC_JOB_NAME: id } = variables(env, ["AIDLC_JOB_NAME"]);
  const { logger } = createTelemetry("validate", env);
  const settings = createSettings(env);
  const alerts = createAlerts(env);
  const validation = createValidation(env, {
    alerts,
    logger,
    settings,
    now,
    workFolder,
    memoryLimitMb: MEMORY_LIMIT_MB,
  });
  const object = fromArguments(args);
  try {
    if (await validation.isDone(object)) return 0;
    const measured = await validation.validate(object, await validation.readRules(), {
      id,
      remainingMs: () => endMs - Date.now(),
      afterwardsMs: MARGIN_MS + Math.ceil(object.size / COPY_BYTES_PER_MS),
      // Every job begins with all the time that there is.
      freshMs: 0,
    });
    // The object has its verdict: what can't be counted is no reason to try again.
    await publish(env, measured).catch((error) => logger.warn("Metrics are lost", { error }));
    return 0;
  } catch (error) {
    logger.error("An object has no verdict", { error: error as Error });
    if (!isGone(error)) return 1;
    await tellGone(object);
    return 0;
  }

  function tellGone({ key, versionId }: RawObject) {
    return alerts.publish("critical", {
      title: "An object was gone before it could be validated",
      code: "data_gone",
      detail: { key, versionId, job: id },
      remedy: "Bring the data again",
    });
  }
}

const isGone = (error: unknown) =>
  ["NoSuchKey", "NoSuchVersion"].includes((error as { name?: string }).name ?? "");

/**
 * Told to CloudWatch itself: that metrics are taken out of logs is documented for Lambda and for agents of one's own, and not for what
 * SageMaker does with a container's output.
 */
async function publish(env: Environment, measured: readonly Measurement[]): Promise<void> {
  if (measured.length === 0) return;
  const { AIDLC_METRIC_NAMESPACE: Namespace } = variables(env, ["AIDLC_METRIC_NAMESPACE"]);
  await awsClient(CloudWatchClient, env).send(
    new PutMetricDataCommand({
      Namespace,
      MetricData: measured.map(([MetricName, unit, Value]) => ({
        MetricName,
        Value,
        Unit: unit === "NoUnit" ? StandardUnit.None : unit,
      })),
    }),
  );
}

/** The folder with the most free space, of those that can be written to. */
export function roomiest(folders: readonly string[]): string {
  const rooms = folders.filter(isWritable).map((folder) => {
    const { bavail, bsize } = statfsSync(folder);
    return { folder, bytes: bavail * bsize };
  });
  const [best] = rooms.toSorted((one, other) => other.bytes - one.bytes);
  if (best === undefined) throw new Error(`None of ${folders.join(", ")} can be written to`);
  return best.folder;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
