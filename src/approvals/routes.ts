import type pg from "pg";
import Type from "typebox";
import type { Identities } from "../access/identities.ts";
import { type AuditTrail, auditContext } from "../audit/trail.ts";
import { type App, OperationId, problems } from "../http/app-types.ts";
import { OperationAnswer, operationView } from "../operations/schema.ts";
import { findOperation, operationNotFound } from "../operations/store.ts";
import { ApprovalsView, ApproveBody, approvalRequestView, RejectBody, voteView } from "./schema.ts";
import { countedVotes, listVotes } from "./store.ts";
import { approve, reject } from "./votes.ts";

export interface ApprovalRoutesOptions {
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
  readonly identities: Pick<Identities, "issuer">;
}

const OperationParams = Type.Object({ operation: OperationId });

export function approvalRoutes(app: App, { pool, audit, identities }: ApprovalRoutesOptions): void {
  const services = { pool, audit, issuer: identities.issuer };

  app.post(
    "/operations/:operation/approve",
    {
      schema: {
        summary: "Approve of the plan that an operation waits with; with enough approvals it is applied",
        tags: ["operations"],
        params: OperationParams,
        body: ApproveBody,
        response: { 200: OperationAnswer, ...problems(404, 409, 413, 415) },
      },
    },
    async (request) => {
      const { digest, comment } = request.body;
      const vote = { operationId: request.params.operation, voter: request.principal, digest, comment };
      return operationView(await approve(services, { ...vote, by: auditContext(request), now: new Date() }));
    },
  );

  app.post(
    "/operations/:operation/reject",
    {
      schema: {
        summary: "Reject the plan that an operation waits with: it ends as cancelled",
        tags: ["operations"],
        params: OperationParams,
        body: RejectBody,
        response: { 200: OperationAnswer, ...problems(404, 409, 413, 415) },
      },
    },
    async (request) => {
      const { comment } = request.body;
      const vote = {
        operationId: request.params.operation,
        voter: request.principal,
        digest: undefined,
        comment,
      };
      return operationView(await reject(services, { ...vote, by: auditContext(request), now: new Date() }));
    },
  );

  app.get(
    "/operations/:operation/approvals",
    {
      schema: {
        summary: "Read what an operation waits for, and who has voted on it",
        tags: ["operations"],
        params: OperationParams,
        response: { 200: ApprovalsView, ...problems(404) },
      },
    },
    async ({ params }) => {
      const operation = await findOperation(pool, params.operation);
      if (operation === undefined) throw operationNotFound(params.operation);
      const { approval } = operation;
      const votes = await listVotes(pool, operation.id);
      if (approval === null) return { items: votes.map((vote) => voteView(vote, false)) };
      const { subjects, given } = await countedVotes(pool, operation, approval);
      const counts = ({ digest, verdict, subject }: (typeof votes)[number]) =>
        digest === approval.digest && verdict === "approve" && subjects.has(subject);
      return {
        approval: approvalRequestView({ ...approval, given }),
        items: votes.map((vote) => voteView(vote, counts(vote))),
      };
    },
  );
}
