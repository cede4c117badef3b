import { setTimeout } from "node:timers/promises";
import { S3Client } from "@aws-sdk/client-s3";
import type { Context } from "aws-lambda";
import { PREFIX } from "../../programs/storage-layout.ts";
import { createAlerts } from "../runtime/alerts.ts";
import { awsClient } from "../runtime/aws.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createTelemetry } from "../runtime/telemetry.ts";
import { type IncidentEvent, incidentEvents, type UnknownEvent } from "./incident-event.ts";
import { type Entry, incidentLog } from "./incident-log.ts";
import { copyKey, setApart } from "./quarantine.ts";
import { type Action, type Response, responseTo } from "./rules.ts";
import { runbookRunner } from "./runbooks.ts";

/** Not all of the actions succeeded; the record says which. */
export class ResponseIncomplete extends Error {
  override readonly name = "ResponseIncomplete";
}

type Outcome = Required<Pick<Entry, "outcome" | "detail">>;

const UNDO =
  "What was done stands in the log group of incidents; docs/production.md says how it is undone once the cause is found";

/**
 * The handler behind the topic of incidents. Acts on what is the pipeline's own, as the rules say, tells people, and records who did
 * what, when and why. Idempotent by the event's id: what the record has as done or told is not done or told again. Throws
 * `ResponseIncomplete` after everything was tried, so that the delivery is repeated and at last waits in the dead-letter queue.
 */
export function createHandler(
  env: Environment,
  now: () => Date = () => new Date(),
  wait: (ms: number) => Promise<unknown> = setTimeout,
) {
  const names = variables(env, [
    "AIDLC_NAME_PREFIX",
    "AIDLC_RAW_BUCKET",
    "AIDLC_VALIDATED_BUCKET",
    "AIDLC_PREDICTIONS_BUCKET",
    "AIDLC_QUARANTINE_BUCKET",
    "AIDLC_INCIDENT_LOG_GROUP",
    "AIDLC_RUNBOOK_REVOKE",
    "AIDLC_RUNBOOK_DISABLE",
  ]);
  const around = {
    prefix: names.AIDLC_NAME_PREFIX,
    buckets: {
      raw: names.AIDLC_RAW_BUCKET,
      validated: names.AIDLC_VALIDATED_BUCKET,
      predictions: names.AIDLC_PREDICTIONS_BUCKET,
    },
  };
  const { logger } = createTelemetry("respond", env);
  const s3 = awsClient(S3Client, env);
  const log = incidentLog(env, names.AIDLC_INCIDENT_LOG_GROUP);
  const alerts = createAlerts(env);
  const run = runbookRunner(env, wait);

  const act = async (eventId: string, action: Action, failures: number): Promise<Outcome> => {
    if (action.kind === "quarantine") {
      const { bucket, key, versionId } = action;
      const suspect = {
        bucket: around.buckets[bucket],
        key,
        ...(versionId && { versionId }),
        isAcceptedData: bucket === "validated" && key.startsWith(PREFIX.acceptedData),
      };
      const copy = { bucket: names.AIDLC_QUARANTINE_BUCKET, key: copyKey(eventId, bucket, key, versionId) };
      const set = await setApart(s3, suspect, copy);
      return set === undefined ? { outcome: "gone", detail: {} } : { outcome: "done", detail: { ...set } };
    }
    const [document, parameter] =
      action.kind === "revoke"
        ? [names.AIDLC_RUNBOOK_REVOKE, { name: "RoleName", value: action.role }]
        : [names.AIDLC_RUNBOOK_DISABLE, { name: "FunctionName", value: action.function }];
    // A token that was used leads to the same execution again: one that failed is not to be asked a second time.
    const reason = `${eventId}/${document}/${parameter.value}/${failures}`;
    return { outcome: "done", detail: { execution: await run({ document, parameter, reason }) } };
  };

  const tell = async (eventId: string, { cause, severity }: Response, acted: readonly Entry[]) => {
    if (severity === undefined) return;
    const outcomes = acted.map(({ action, outcome }) => ({ ...action, outcome }));
    const done = outcomes.length === 0 ? "nothing was done by itself" : `${outcomes.length} actions`;
    await alerts.publish(severity, {
      title: `Incident (${cause.kind}): ${done}`,
      code: "incident",
      detail: { eventId, ...cause, actions: outcomes },
      remedy: outcomes.length === 0 ? "Look into what the event names and decide" : UNDO,
    });
  };

  const respond = async (event: IncidentEvent | UnknownEvent, by: string): Promise<void> => {
    const before = await log.open(event.id);
    if (before.some(({ entry }) => entry === "ended")) return;
    const response = responseTo(event, around);
    const record = async (entry: Omit<Entry, "eventId" | "at" | "by">): Promise<Entry> => {
      const whole = { eventId: event.id, at: now().toISOString(), by, ...entry };
      await log.add(whole);
      return whole;
    };
    if (before.length === 0) await record({ entry: "begun", cause: response.cause });
    const acted: Entry[] = [];
    for (const action of response.actions) {
      const earlier = before.filter((entry) => JSON.stringify(entry.action) === JSON.stringify(action));
      const settled = earlier.find(({ outcome }) => outcome !== "failed");
      acted.push(
        settled ??
          (await record({ entry: "acted", action, ...(await tried(act(event.id, action, earlier.length))) })),
      );
    }
    if (!before.some(({ entry }) => entry === "told")) {
      await tell(event.id, response, acted);
      await record({ entry: "told", detail: { severity: response.severity ?? "nobody" } });
    }
    const failed = acted.filter(({ outcome }) => outcome === "failed");
    logger.info("Responded", {
      eventId: event.id,
      ...response.cause,
      acted: acted.length,
      failed: failed.length,
    });
    if (failed.length > 0) {
      throw new ResponseIncomplete(
        `${failed.length} of ${acted.length} actions failed: see the record of ${event.id}`,
      );
    }
    await record({ entry: "ended" });
  };

  return async (delivery: unknown, { awsRequestId }: Pick<Context, "awsRequestId">): Promise<void> => {
    // SNS delivers one at a time; should it be more, each gets its response.
    const settled = await Promise.allSettled(
      incidentEvents(delivery).map((event) => respond(event, `respond/${awsRequestId}`)),
    );
    const failure = settled.find((each) => each.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  };
}

/** Told rather than thrown: what else there is to do goes on. */
async function tried(acting: Promise<Outcome>): Promise<Outcome> {
  try {
    return await acting;
  } catch (error) {
    const { name, message } = error as Error;
    return { outcome: "failed", detail: { error: name, message } };
  }
}
