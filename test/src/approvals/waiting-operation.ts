import { gateOf, termsOf } from "../../../src/approvals/gate.ts";
import { awaitApproval } from "../../../src/approvals/transitions.ts";
import { digestOf } from "../../../src/digest.ts";
import type { RunOutcome, Step } from "../../../src/engine/protocol.ts";
import { type Claim, claimOperation, finishOperation } from "../../../src/operations/claims.ts";
import { findOperation, type Operation } from "../../../src/operations/store.ts";
import { inTransaction } from "../../../src/postgres/pool.ts";
import type { Document } from "../../support/builders.ts";
import type { Answer, Api } from "../api.ts";

export const stepOf = (name: string): Step => ({
  action: "update",
  urn: `urn:pulumi:s::p::aws:s3/bucket:Bucket::${name}`,
  type: "aws:s3/bucket:Bucket",
  name,
  changes: [],
});

export async function claimed(api: Api, id: string): Promise<Claim> {
  const claim = await claimOperation(api.database.pool, id, { node: "n", leaseMs: 60_000 });
  if (claim === undefined) throw new Error(`Operation ${id} can't be claimed`);
  return claim;
}

/** What the gate of an operation is when a worker is about to run it. */
export async function gateFor(api: Api, { operation }: Claim) {
  const terms = await termsOf(api.database.pool, operation);
  return terms && gateOf(api.database.pool, operation, terms);
}

/** Plays the worker's part: what was accepted is planned, and waits for approval of the plan. */
export async function plan(
  api: Api,
  accepted: Answer,
  names: readonly string[] = ["raw"],
): Promise<Document> {
  if (accepted.status !== 202) throw new Error(`${accepted.status} ${JSON.stringify(accepted.body)}`);
  const { id } = accepted.body;
  await rest(api, await claimed(api, id), names);
  return (await api.send("GET", `/v1/operations/${id}`)).body;
}

/** Lets a claimed operation wait with a plan about these buckets. */
export async function rest(api: Api, claim: Claim, names: readonly string[] = ["raw"]): Promise<boolean> {
  const { operation, fencingToken } = claim;
  const terms = await termsOf(api.database.pool, operation);
  if (terms === undefined) throw new Error("It needs no approval");
  const steps = names.map(stepOf);
  const { reasons } = terms;
  const outcome: RunOutcome = {
    state: "awaiting_approval",
    changes: { update: 1 },
    steps,
    reasons,
    stackExists: true,
  };
  const result = { changes: outcome.changes, steps, digest: digestOf(steps) };
  return inTransaction(api.database.pool, (client) =>
    awaitApproval(client, api.audit, { operation, fencingToken, outcome, result, terms }),
  );
}

/** Ends an operation that runs, as if its plan had been applied. */
export async function applied(api: Api, { operation, fencingToken }: Claim): Promise<void> {
  const end = { state: "succeeded", result: { changes: {} }, error: null } as const;
  await finishOperation(api.database.pool, operation.id, fencingToken, end);
  if (operation.subject.type === "pipeline")
    await api.database.pool.query("update pipelines set applied_revision = $2 where id = $1", [
      operation.subject.pipelineId,
      operation.revision,
    ]);
}

export async function read(api: Api, id: string): Promise<Operation> {
  return (await findOperation(api.database.pool, id)) as Operation;
}
