import { digestOf } from "../digest.ts";
import { parseUrn } from "./phase.ts";
import { type PlannedResource, reasonsOf } from "./plan.ts";
import type { Action, ApprovalGate, OperationError, ResourceRecord, RunOutcome, Step } from "./protocol.ts";

/** What an operation would do. */
export interface Plan {
  /** By URN. */
  readonly steps: readonly Step[];
  readonly plan: readonly PlannedResource[];
  readonly changes: Readonly<Record<string, number>>;
}

/** What is told of an operation whose plan was not applied. */
export type HeldBack = Pick<RunOutcome, "state" | "changes" | "steps" | "reasons" | "error">;

/**
 * Judges an operation by its plan, which `planned` makes. A plan that somebody has to approve of is one of what exists on AWS, so
 * that what is done there by hand until it is applied makes it another one: then `refresh` says that it has to be applied like
 * that as well. Reading all of AWS for every update would take half as long again.
 */
export async function passGate(
  gate: ApprovalGate,
  action: Action,
  planned: (refresh: boolean) => Promise<Plan>,
): Promise<{ readonly held: HeldBack | undefined; readonly refresh: boolean }> {
  let refresh = action === "reconcile" || gate.reasons.length > 0 || gate.approved !== undefined;
  let held = judge(gate, await planned(refresh));
  if (held !== undefined && !refresh) {
    refresh = true;
    held = judge(gate, await planned(refresh));
  }
  return { held, refresh };
}

/** Why a plan may not be applied now; undefined when it may. */
export function judge(gate: ApprovalGate, { steps, plan, changes }: Plan): HeldBack | undefined {
  if (gate.approved !== undefined) {
    if (gate.approved === digestOf(steps)) return undefined;
    return { state: "failed", changes: {}, steps, error: planChanged };
  }
  if (steps.length === 0) return undefined;
  const reasons = [...gate.reasons, ...reasonsOf(plan, gate)];
  return reasons.length === 0 ? undefined : { state: "awaiting_approval", changes, steps, reasons };
}

/** Whether a run before this one was interrupted in the midst of applying the approved plan isn't known here. */
const planChanged: OperationError = {
  code: "plan_changed",
  message: "What would be done now is not what was approved: something has changed since",
  remedy:
    "This run changed nothing; if an earlier one was interrupted, the pipeline's history tells what it did. Look at the new plan, then ask for the operation again",
};

/** The plan of a destroy that leaves nothing. */
export function planOfDestroy(resources: readonly ResourceRecord[]): Plan {
  const steps = resources.map(({ urn, awsId }): Step => {
    const { type, name, phase } = parseUrn(urn);
    return {
      action: "delete",
      urn,
      type,
      name,
      ...(phase === undefined ? {} : { phase }),
      ...(awsId === null ? {} : { awsId }),
      changes: [],
    };
  });
  steps.sort((a, b) => (a.urn < b.urn ? -1 : 1));
  return { steps, plan: steps, changes: steps.length === 0 ? {} : { delete: steps.length } };
}
