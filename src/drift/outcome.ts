import type pg from "pg";
import type { RunOutcome, SpareRequest } from "../engine/protocol.ts";
import { isApply } from "../operations/states.ts";
import type { Operation } from "../operations/store.ts";
import type { Queryable } from "../postgres/pool.ts";
import { tellWebhooks } from "../webhooks/outbox.ts";
import type { FoundDrift } from "./classify.ts";
import { recordCheck } from "./record.ts";
import { listRules } from "./rule-store.ts";
import { carryDrifts, endDrifts, keyOf, listDrifts, settleCarried } from "./store.ts";

/** What a reconciliation of a pipeline leaves as it is. */
export async function spareOf(
  db: Queryable,
  pipelineId: string,
  { options }: Operation,
  now: Date,
): Promise<SpareRequest> {
  const [rules, accepted] = await Promise.all([
    listRules(db, pipelineId),
    listDrifts(db, pipelineId, { state: "accepted", limit: 10_000 }),
  ]);
  return {
    rules: rules.filter(({ expiresAt }) => expiresAt > now).map(({ resource, path }) => ({ resource, path })),
    accepted: accepted.map(({ urn, path }) => ({ urn, path })),
    ...(options.only === undefined ? {} : { only: options.only }),
  };
}

// What a message tells one by one; the rest is in the report.
const mostTold = 50;

/** Takes over what an operation on a pipeline found or mended, in the transaction that ends it, and tells of what is new. */
export async function recordOutcome(
  client: pg.PoolClient,
  pipelineId: string,
  operation: Operation,
  outcome: RunOutcome,
  now: Date,
): Promise<void> {
  const found = await takeOver(client, pipelineId, operation, outcome, now);
  const serious = found.filter(({ verdict }) => verdict.class !== "benign");
  const { id, team, subject } = operation;
  if (serious.length === 0 || subject.type !== "pipeline") return;
  await tellWebhooks(client, {
    team,
    about: `pipelines/${subject.pipeline}`,
    type: "drift.found",
    data: {
      pipeline: subject.pipeline,
      operation: id,
      found: serious.length,
      drifts: serious.slice(0, mostTold).map(({ urn, path, verdict }) => ({
        urn,
        kind: path === "" ? "gone" : "changed",
        ...(path === "" ? {} : { path }),
        class: verdict.class,
        severity: verdict.severity,
        reason: verdict.reason,
      })),
    },
  });
}

/** Returns the open drifts that nobody knew of before. */
async function takeOver(
  client: pg.PoolClient,
  pipelineId: string,
  { id: operationId, kind }: Operation,
  outcome: RunOutcome,
  now: Date,
): Promise<FoundDrift[]> {
  const succeeded = outcome.state === "succeeded";
  if (kind === "drift")
    return succeeded ? recordCheck(client, { pipelineId, operationId, steps: outcome.steps }, now) : [];
  if (kind === "reconcile" && outcome.drift !== undefined) {
    const { steps, kept, excluded } = outcome.drift;
    const found = await recordCheck(client, { pipelineId, operationId, steps }, now);
    if (!succeeded) return found;
    const except = kept.map(keyOf);
    await settleCarried(client, pipelineId);
    await endDrifts(client, pipelineId, "reverted", except);
    await carryDrifts(client, pipelineId, kept.filter(({ urn }) => !excluded.includes(urn)).map(keyOf));
    return found.filter((drift) => except.includes(keyOf(drift)));
  }
  if (!succeeded) return [];
  if (isApply(kind)) await settleCarried(client, pipelineId);
  if (kind === "destroy") {
    await settleCarried(client, pipelineId);
    await endDrifts(client, pipelineId, "resolved", []);
  }
  return [];
}
