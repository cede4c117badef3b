import type { FastifyReply } from "fastify";
import type pg from "pg";
import Type, { type Static } from "typebox";
import type { AwsAccount } from "../../programs/inputs.ts";
import { visibleTeams } from "../access/principal.ts";
import { type AuditTrail, auditContext } from "../audit/trail.ts";
import { AppError } from "../errors.ts";
import { AccountName, type App, Moment, problems, TeamName } from "../http/app-types.ts";
import { checkPreconditions, etagOf, Preconditions } from "../http/etags.ts";
import { cursorPart, PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { OperationAnswer, operationView } from "../operations/schema.ts";
import { activeChange, type Operation } from "../operations/store.ts";
import { submitOperation } from "../operations/submit.ts";
import { inTransaction } from "../postgres/pool.ts";
import { ensureStack } from "../stacks/store.ts";
import { getTeam, holdTeam } from "../teams/store.ts";
import { FoundationState, FoundationView, foundationState, foundationView } from "./foundation-view.ts";
import { checkRequest, FoundationRequest } from "./settings.ts";
import {
  type Account,
  countSharers,
  deleteAccount,
  findAccount,
  foundationOutputs,
  foundationProject,
  getAccount,
  listAccounts,
  lockFoundation,
  pipelinesIn,
  putAccount,
} from "./store.ts";

const awsFields = {
  accountId: Type.String({ pattern: "^\\d{12}$", description: "The AWS account's 12 digits" }),
  region: Type.String({
    pattern: "^[a-z]{2}(-[a-z]+)+-\\d$",
    description: "AWS region, such as eu-central-1",
  }),
  roleArn: Type.Optional(
    Type.String({
      pattern: "^arn:aws[a-z-]*:iam::\\d{12}:role/[\\w+=,.@/-]+$",
      maxLength: 2048,
      description:
        "Role the service assumes there, with the team's external id; required unless the target is the sandbox",
    }),
  ),
};

const AccountBody = Type.Object(
  { ...awsFields, foundation: FoundationRequest },
  { additionalProperties: false, description: "An AWS account and region" },
);

const AccountView = Type.Object(
  {
    team: TeamName,
    name: AccountName,
    ...awsFields,
    foundation: Type.Object(
      { state: FoundationState, ...FoundationRequest.properties },
      { description: "The foundation's state, and what this registration asks of it" },
    ),
    createdAt: Moment("When it was registered"),
    updatedAt: Moment("When it was last changed"),
  },
  { description: "An AWS account and region that a team may use" },
);

/** The answer to whatever starts an operation. */
function accepted(reply: FastifyReply, operation: Operation) {
  return reply.code(202).header("location", `/v1/operations/${operation.id}`).send(operationView(operation));
}

/** Throws `invalid_request` for a role that can't be the account's. */
function checkRole({ accountId, roleArn }: AwsAccount, sandbox: boolean): void {
  // The service's own identity is never lent to a program.
  if (roleArn === undefined && sandbox) return;
  if (roleArn?.includes(`::${accountId}:`)) return;
  const message = `must be a role of account ${accountId}`;
  throw new AppError("invalid_request", `roleArn ${message}, not ${roleArn ?? "left out"}`, {
    details: { errors: [{ path: "/roleArn", message }] },
  });
}

const AccountParams = Type.Object({ team: TeamName, account: AccountName });

const DataQuery = Type.Object(
  {
    data: Type.Enum(["retain", "delete"], {
      default: "retain",
      description:
        "What becomes of what holds data: `retain` leaves it in the account, `delete` removes it for good",
    }),
  },
  { additionalProperties: false },
);

function view(account: Account): Static<typeof AccountView> {
  return {
    team: account.team,
    name: account.name,
    ...account.aws,
    foundation: { state: foundationState(account), ...account.request },
    createdAt: account.createdAt.toISOString(),
    updatedAt: account.updatedAt.toISOString(),
  };
}

/** It changes with what callers say of an account, not with how far its foundation is. */
function accountEtag({ aws, request }: Account): string {
  return etagOf({ aws, request });
}

export function accountRoutes(
  app: App,
  { pool, audit, sandbox }: { readonly pool: pg.Pool; readonly audit: AuditTrail; readonly sandbox: boolean },
): void {
  app.put(
    "/teams/:team/accounts/:account",
    {
      schema: {
        summary: "Register an AWS account and region, and provision its foundation",
        tags: ["accounts"],
        params: AccountParams,
        headers: Preconditions,
        body: AccountBody,
        response: { 202: OperationAnswer, ...problems(404, 409, 412, 413, 415) },
      },
    },
    async (request, reply) => {
      const { team, account: name } = request.params;
      const { foundation, ...aws } = request.body;
      checkRequest(foundation);
      checkRole(aws, sandbox);
      const operation = await inTransaction(pool, async (client) => {
        await holdTeam(client, team);
        const stackId = await ensureStack(client, foundationProject, `${aws.accountId}.${aws.region}`);
        // Two that know the same ETag must not both find it.
        await lockFoundation(client, stackId);
        const before = await findAccount(client, team, name);
        checkPreconditions(request, before && accountEtag(before));
        const account = await putAccount(client, { team, name, aws, request: foundation, stackId });
        const by = auditContext(request);
        const submitted = await submitOperation(client, {
          // What was left alone may have been changed by anybody.
          kind: account.releasedAt === null ? "update" : "reconcile",
          stackId,
          team,
          subject: { type: "account", account: name },
          revision: null,
          options: {},
          requestId: by.requestId,
          requestedBy: by.subject,
        });
        await audit.change(client, by, {
          action: "account.put",
          team,
          target: `/teams/${team}/accounts/${name}`,
          before: before && view(before),
          after: { ...view(account), operation: submitted.id },
        });
        return submitted;
      });
      return accepted(reply, operation);
    },
  );

  app.get(
    "/teams/:team/accounts",
    {
      schema: {
        summary: "List a team's accounts by name",
        tags: ["accounts"],
        params: Type.Object({ team: TeamName }),
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: { 200: pageOf(AccountView, "Accounts"), ...problems(404) },
      },
    },
    async (request) => {
      const { team } = request.params;
      const { limit, cursor } = request.query;
      await getTeam(pool, team);
      const accounts = await listAccounts(pool, team, parseCursor(cursor, cursorPart.name)?.[0], limit);
      return toPage(accounts, limit, view, (account) => [account.name]);
    },
  );

  app.get(
    "/teams/:team/accounts/:account",
    {
      schema: {
        summary: "Read an account",
        tags: ["accounts"],
        params: AccountParams,
        response: { 200: AccountView, ...problems(404) },
      },
    },
    async (request, reply) => {
      await getTeam(pool, request.params.team);
      const account = await getAccount(pool, request.params.team, request.params.account);
      return reply.header("etag", accountEtag(account)).send(view(account));
    },
  );

  app.get(
    "/teams/:team/accounts/:account/foundation",
    {
      schema: {
        summary: "Read the foundation of an account: the account-wide resources that its pipelines share",
        tags: ["accounts"],
        params: AccountParams,
        response: { 200: FoundationView, ...problems(404) },
      },
    },
    async (request) => {
      await getTeam(pool, request.params.team);
      const account = await getAccount(pool, request.params.team, request.params.account);
      return foundationView(pool, account, visibleTeams(request.principal));
    },
  );

  const onFoundation = [
    {
      path: "reconciliations",
      kind: "reconcile",
      summary:
        "Bring the foundation back to its settings: what of its own was changed or deleted is made again",
      // Throws unless there is one to bring back.
      check: foundationOutputs,
    },
    {
      path: "repairs",
      kind: "repair",
      summary: "Settle what an interrupted operation left: its lock, and what AWS made without being heard",
      check: async () => {},
    },
  ] as const;
  for (const { path, kind, summary, check } of onFoundation) {
    app.post(
      `/teams/:team/accounts/:account/foundation/${path}`,
      {
        schema: {
          summary,
          tags: ["accounts"],
          params: AccountParams,
          response: { 202: OperationAnswer, ...problems(404, 409) },
        },
      },
      async (request, reply) => {
        const { team, account: name } = request.params;
        const operation = await inTransaction(pool, async (client) => {
          await holdTeam(client, team);
          await lockFoundation(client, (await getAccount(client, team, name)).stackId);
          const account = await getAccount(client, team, name);
          await check(client, account);
          const by = auditContext(request);
          const submitted = await submitOperation(client, {
            kind,
            stackId: account.stackId,
            team,
            subject: { type: "account", account: name },
            revision: null,
            options: {},
            requestId: by.requestId,
            requestedBy: by.subject,
          });
          await audit.change(client, by, {
            action: `foundation.${kind}`,
            team,
            target: `/teams/${team}/accounts/${name}/foundation`,
            before: { state: foundationState(account), settings: account.settings },
            after: { operation: submitted.id },
          });
          return submitted;
        });
        return accepted(reply, operation);
      },
    );
  }

  app.delete(
    "/teams/:team/accounts/:account",
    {
      schema: {
        summary:
          "Remove an account; the last one that shares a foundation destroys it, unless it was released",
        tags: ["accounts"],
        params: AccountParams,
        headers: Preconditions,
        querystring: DataQuery,
        response: {
          202: OperationAnswer,
          204: Type.Null({ description: "Removed; others still share the foundation, or it was released" }),
          ...problems(404, 409, 412),
        },
      },
    },
    async (request, reply) => {
      const { team, account: name } = request.params;
      const operation = await inTransaction(pool, async (client) => {
        await holdTeam(client, team);
        await lockFoundation(client, (await getAccount(client, team, name)).stackId);
        // Read again, now that nobody else decides about it.
        const account = await getAccount(client, team, name);
        checkPreconditions(request, accountEtag(account));
        const pipelines = await pipelinesIn(client, team, name);
        if (pipelines.length > 0) {
          throw new AppError(
            "account_in_use",
            `Account "${name}" still has the pipelines ${pipelines.join(", ")}: delete them first`,
          );
        }
        const active = await activeChange(client, account.stackId);
        if (active) {
          throw new AppError(
            "stack_busy",
            "An operation is working on the foundation: wait until it has ended",
            { details: { operation: { id: active.id, team: active.team } } },
          );
        }
        const by = auditContext(request);
        const { data } = request.query;
        const removal = {
          action: "account.delete",
          team,
          target: `/teams/${team}/accounts/${name}`,
          before: view(account),
        };
        if (account.releasedAt !== null || (await countSharers(client, account.stackId)) > 1) {
          await deleteAccount(client, team, name);
          await audit.change(client, by, removal);
          return undefined;
        }
        const submitted = await submitOperation(client, {
          kind: "destroy",
          stackId: account.stackId,
          team,
          subject: { type: "account", account: name },
          revision: null,
          options: { data },
          requestId: by.requestId,
          requestedBy: by.subject,
        });
        await audit.change(client, by, { ...removal, after: { operation: submitted.id, data } });
        return submitted;
      });
      if (!operation) return reply.code(204).send(null);
      return accepted(reply, operation);
    },
  );
}
