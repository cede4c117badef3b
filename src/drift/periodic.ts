import type { Logger } from "pino";
import type { PipelineServices } from "../pipelines/changes.ts";
import type { Queue } from "../queue/queue.ts";
import { attributeDrifts, type ChangeRecords } from "./attribution.ts";
import { submitDue } from "./scheduled.ts";

/** Has drift looked for on schedule, and found out who made the changes; on one node at a time. */
export async function watchDrift(
  queue: Queue,
  { records, log, ...services }: PipelineServices & { readonly records: ChangeRecords; readonly log: Logger },
): Promise<void> {
  await queue.every("drift-schedule", "* * * * *", async () => {
    await submitDue(services, log, new Date());
  });
  await queue.every("drift-attribution", "* * * * *", async () => {
    await attributeDrifts(services.pool, records, log, new Date());
  });
}
