import type pg from "pg";
import type { Step } from "../engine/protocol.ts";
import type { Queryable } from "../postgres/pool.ts";
import { classifySteps, type FoundDrift } from "./classify.ts";
import { holdOf } from "./holding.ts";
import { listRules } from "./rule-store.ts";
import { endDrifts, keyOf, lockDrifts, putDrifts, setHolds } from "./store.ts";

export interface DriftCheck {
  readonly pipelineId: string;
  readonly operationId: string;
  readonly steps: readonly Step[];
}

/** Takes over what a check found, and returns what nobody knew of before. What it didn't see any more is resolved. */
export async function recordCheck(
  client: pg.PoolClient,
  check: DriftCheck,
  now: Date,
): Promise<FoundDrift[]> {
  const { pipelineId, operationId, steps } = check;
  const found = classifySteps(steps);
  const rules = found.length === 0 ? [] : await listRules(client, pipelineId);
  const known = new Map(
    (found.length === 0 ? [] : await lockDrifts(client, pipelineId)).map((drift) => [keyOf(drift), drift]),
  );
  const held = found.map((drift) => ({
    ...drift,
    hold: holdOf(
      { ...drift, dataLoss: drift.verdict.dataLoss === true },
      { known: known.get(keyOf(drift)), rules, now },
    ),
  }));
  await putDrifts(client, pipelineId, operationId, held);
  await endDrifts(client, pipelineId, "resolved", found.map(keyOf));
  const over: readonly string[] = ["reverted", "resolved", "adopted"];
  return held.filter((drift) => {
    const before = known.get(keyOf(drift));
    return drift.hold.state === "open" && (before === undefined || over.includes(before.state));
  });
}

/** Has a pipeline's rules hold what they match, and nothing else, from now on. */
export async function applyRules(client: Queryable, pipelineId: string, now: Date): Promise<void> {
  const rules = await listRules(client, pipelineId);
  const drifts = (await lockDrifts(client, pipelineId)).filter(
    ({ state }) => state === "open" || state === "ignored",
  );
  const holds = drifts.map((drift) => ({
    id: drift.id,
    hold: holdOf(drift, { known: undefined, rules, now }),
  }));
  await setHolds(client, holds);
}
