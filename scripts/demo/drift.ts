import type { Step } from "../service/client.ts";
import { json } from "../service/client.ts";
import { countByPhase } from "./phase-progress.ts";
import { counted, seconds } from "./printer.ts";
import { findInSandbox } from "./sandbox-inventory.ts";
import { look, pipelinePath, play, type Stage } from "./stage.ts";
import { printSteps } from "./step-report.ts";

const words = { create: "is new", update: "was changed", delete: "is gone" };

/** Does by hand what should never be done by hand. */
export async function meddle(stage: Stage): Promise<void> {
  const { client, printer } = stage;
  const guard = await findInSandbox(
    stage,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "raw-public-access",
  );
  const alarm = await findInSandbox(stage, "aws:cloudwatch/metricAlarm:MetricAlarm", "run-failed");
  const opened = { blockPublicPolicy: false, restrictPublicBuckets: false };
  await client.send("PATCH", `/sandbox/v1/resources/${guard.id}`, json(opened));
  printer.line(`by hand: bucket ${guard.awsId} may be made public`);
  await client.send("DELETE", `/sandbox/v1/resources/${alarm.id}`);
  printer.line(`by hand: alarm ${alarm.awsId} is deleted`);
}

export async function repairDrift(stage: Stage): Promise<void> {
  const { printer, summary } = stage;
  const found = await checkDrift(stage);
  summary.driftFound = found.length;
  if (found.length === 0)
    throw new Error("The drift check found nothing, although two resources were changed by hand");
  printSteps(printer, found, words);
  const { ms } = await play(stage, "POST", `${pipelinePath}/reconciliations`, {
    planned: countByPhase(found),
  });
  printer.done(`reconciled with the applied revision in ${seconds(ms)}`);
  const left = await checkDrift(stage);
  summary.driftFixed = found.length - left.length;
  if (left.length > 0) {
    printSteps(printer, left, words);
    throw new Error(`${counted(left.length, "resource")} still differ after the reconciliation`);
  }
}

async function checkDrift(stage: Stage): Promise<Step[]> {
  const { operation, ms } = await look(stage, `${pipelinePath}/drift-checks`);
  const steps = operation.result?.steps ?? [];
  const result = steps.length === 0 ? "nothing differs" : `${counted(steps.length, "resource")} drifted`;
  stage.printer.done(`the drift check says: ${result} (${seconds(ms)})`);
  return steps;
}
