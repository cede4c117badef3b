import type pg from "pg";
import { AppError } from "../errors.ts";
import { invalid } from "../http/validation.ts";
import {
  hold,
  type PipelineRequest,
  type PipelineServices,
  patchHeldSpec,
  submitOnHeld,
} from "../pipelines/changes.ts";
import { getPipeline } from "../pipelines/store.ts";
import { checkExpiry } from "../policies/exceptions.ts";
import { inTransaction } from "../postgres/pool.ts";
import { adoptionOf } from "./adoption.ts";
import { type Drift, type LockedDrift, lockDrift, setDecision } from "./store.ts";

export interface DecisionRequest {
  readonly decision: "revert" | "adopt" | "accept";
  readonly until?: string | undefined;
  readonly reason: string;
}

/** What a decision is recorded as. */
interface Outcome {
  readonly state: "open" | "accepted" | "adopted";
  readonly until: Date | null;
  readonly operationId: string | null;
}

/**
 * Decides what becomes of a drift that lasts, and begins what that takes; returns the drift as it stands then. Throws `drift_not_found`,
 * and `drift_conflict` for what can't be decided so.
 */
export async function decide(
  services: PipelineServices,
  request: PipelineRequest,
  driftId: string,
  decision: DecisionRequest,
  now: Date,
): Promise<Drift> {
  const until = untilOf(decision, now);
  return inTransaction(services.pool, async (client) => {
    await hold(client, request);
    const { id: pipelineId } = await getPipeline(client, request.team, request.name);
    const drift = await lockDrift(client, pipelineId, driftId);
    assertDecidable(drift, decision, request.team);
    const outcome: Outcome =
      until === null
        ? await begin(client, services, { ...request, reason: decision.reason }, drift, decision)
        : { state: "accepted", until, operationId: null };
    await setDecision(client, drift.id, { ...outcome, by: request.by.subject, reason: decision.reason });
    const after = await lockDrift(client, pipelineId, driftId);
    await services.audit.change(client, request.by, {
      action: "drift.decide",
      team: request.team,
      target: `/teams/${request.team}/pipelines/${request.name}/drift/${driftId}`,
      before: standOf(drift),
      after: { ...standOf(after), ...decision },
    });
    return after;
  });
}

/** Until when a drift is accepted; null for the other decisions. Throws `invalid_request`. */
function untilOf({ decision, until }: DecisionRequest, now: Date): Date | null {
  const problem =
    decision === "accept" && until === undefined
      ? "is needed to accept a drift: nothing is accepted for ever"
      : decision !== "accept" && until !== undefined
        ? `has no place in the decision ${decision}`
        : undefined;
  if (problem !== undefined) throw invalid("invalid_request", [{ path: "/until", message: problem }]);
  if (until === undefined) return null;
  const moment = new Date(until);
  checkExpiry(moment, now, "/until");
  return moment;
}

function assertDecidable(drift: LockedDrift, { decision }: DecisionRequest, team: string): void {
  if (drift.state !== "open" && drift.state !== "ignored" && drift.state !== "accepted") {
    throw new AppError(
      "drift_conflict",
      `The drift is ${drift.state}: there is nothing left to decide, unless a check finds it again`,
    );
  }
  if (decision === "revert" && drift.class === "ml_promotion") {
    throw new AppError(
      "drift_conflict",
      "A promoted model is never reverted: release the version that shall serve",
    );
  }
  // While a drift is open, what was decided about it is a reversion.
  if (
    decision === "revert" &&
    drift.state === "open" &&
    drift.pending &&
    drift.decisionOperationId !== null
  ) {
    throw new AppError(
      "drift_conflict",
      `Operation ${drift.decisionOperationId} reverts the drift: wait for its end, or cancel it and ask again`,
      { details: { operation: { id: drift.decisionOperationId, team } } },
    );
  }
}

async function begin(
  client: pg.PoolClient,
  services: PipelineServices,
  request: PipelineRequest,
  drift: Drift,
  { decision }: DecisionRequest,
): Promise<Outcome> {
  if (decision === "revert") {
    const { id } = await submitOnHeld(client, services, request, "reconcile", { only: [drift.urn] });
    return { state: "open", until: null, operationId: id };
  }
  const patch = adoptionOf(drift);
  if (patch === undefined) {
    const what = drift.path === "" ? "That a resource is gone" : `${drift.path} of ${drift.type}`;
    throw new AppError(
      "drift_conflict",
      `${what} is nothing that the spec can say: revert it, accept it, or change what the spec does say with PATCH`,
    );
  }
  const { id } = await patchHeldSpec(client, services, request, patch);
  return { state: "adopted", until: null, operationId: id };
}

function standOf({ urn, path, state, heldUntil, decisionOperationId: operation }: Drift) {
  return { urn, path, state, heldUntil, operation };
}
