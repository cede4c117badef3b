import { ask, requestsOf } from "./client-crowd.ts";
import { readOperations } from "./facts/database-facts.ts";
import { type Violation, violation } from "./invariants/violation.ts";
import type { Request, SpecVariant } from "./plan.ts";
import { operationEnded } from "./quiet.ts";
import type { Stage } from "./stage.ts";
import type { Tenant } from "./tenants.ts";

const lastSpec: SpecVariant = {
  logRetentionDays: 30,
  quarantinedFraction: 0.05,
  isScheduled: true,
  hasNotebook: false,
  hasOwnNetwork: false,
};

/**
 * Completes every pipeline, has it checked for drift, and deletes it with its data: whatever the kills left, all of it must succeed at
 * the first try, and no check may find anything.
 */
export async function takeDown(stage: Stage): Promise<Violation[]> {
  const found = await Promise.all(stage.tenants.map((tenant) => takeDownTenant(stage, tenant)));
  return found.flat();
}

async function takeDownTenant(stage: Stage, tenant: Tenant): Promise<Violation[]> {
  const requests: Request[] = [
    { type: "apply", spec: lastSpec },
    { type: "drift" },
    { type: "destroy", data: "delete" },
  ];
  const violations: Violation[] = [];
  for (const request of requests) violations.push(...(await mustSucceed(stage, tenant, request)));
  return violations;
}

async function mustSucceed(stage: Stage, tenant: Tenant, request: Request): Promise<Violation[]> {
  const { crowd, pool, signal } = stage;
  const what = `${request.type} of ${tenant.team}/${tenant.pipeline}`;
  const answer = await ask(requestsOf(crowd, tenant), tenant, request);
  if (answer.status !== 202)
    return [
      violation(
        "stuck",
        `The last ${what} was refused with ${answer.status}: ${JSON.stringify(answer.body)}`,
      ),
    ];
  const { id } = answer.body as { id: string };
  crowd.acknowledged.add(id);
  await operationEnded(pool, id, signal);
  const operation = (await readOperations(pool)).find((one) => one.id === id);
  if (operation?.state !== "succeeded") {
    const why = `${operation?.state}: ${operation?.errorCode}: ${operation?.errorMessage}`;
    return [violation("stuck", `The last ${what} ended as ${why}`, [id])];
  }
  if (operation.drifted.length === 0) return [];
  return [
    violation("lost", `${tenant.team}/${tenant.pipeline} has drifted: ${operation.drifted.join(", ")}`, [id]),
  ];
}
