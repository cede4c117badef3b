import type { FastifyRequest } from "fastify";
import type pg from "pg";
import Type from "typebox";
import { type AuditTrail, auditContext } from "../audit/trail.ts";
import { type App, problems, TeamName } from "../http/app-types.ts";
import { checkPreconditions, Preconditions } from "../http/etags.ts";
import { cursorPart, PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { invalid } from "../http/validation.ts";
import type { GuardedClient } from "../outgoing/guarded-client.ts";
import { inTransaction } from "../postgres/pool.ts";
import { getTeam, holdTeam } from "../teams/store.ts";
import {
  auditedWebhook,
  NewWebhookView,
  SecretView,
  WebhookBody,
  WebhookId,
  WebhookPatch,
  WebhookView,
  webhookEtag,
  webhookView,
} from "./schema.ts";
import type { WebhookSecrets } from "./secrets.ts";
import {
  assertRoomForWebhook,
  deleteWebhook,
  getWebhook,
  insertWebhook,
  listWebhooks,
  lockWebhook,
  nextSecret,
  type StoredWebhook,
  updateWebhook,
} from "./store.ts";

export interface WebhookRoutesOptions {
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
  readonly webhooks: { readonly secrets: WebhookSecrets; readonly client: GuardedClient };
}

const TeamParams = Type.Object({ team: TeamName });
export const WebhookParams = Type.Object({ team: TeamName, webhook: WebhookId });

export function webhookRoutes(app: App, options: WebhookRoutesOptions): void {
  const { pool, audit, webhooks } = options;

  app.post(
    "/teams/:team/webhooks",
    {
      config: { answerHoldsSecret: true },
      schema: {
        summary:
          "Be told of what happens, at an address of your own; the secret is shown in this answer only",
        tags: ["webhooks"],
        params: TeamParams,
        body: WebhookBody,
        response: { 201: NewWebhookView, ...problems(404, 409, 413, 415) },
      },
    },
    async (request, reply) => {
      const { team } = request.params;
      const { url, description = "", events } = request.body;
      checkUrl(webhooks.client, url);
      const by = auditContext(request);
      const created = await inTransaction(pool, async (client) => {
        await holdTeam(client, team);
        await assertRoomForWebhook(client, team);
        const webhook = await insertWebhook(client, {
          team,
          url,
          description,
          events,
          createdBy: by.subject,
        });
        await audit.change(client, by, {
          action: "webhook.create",
          team,
          target: pathOf(webhook),
          after: auditedWebhook(webhook),
        });
        return webhook;
      });
      const secret = webhooks.secrets.of({ id: created.id, number: created.secretNumber });
      return reply
        .code(201)
        .header("location", `/v1${pathOf(created)}`)
        .header("etag", webhookEtag(created))
        .send({ ...webhookView(created), secret });
    },
  );

  app.get(
    "/teams/:team/webhooks",
    {
      schema: {
        summary: "List a team's webhooks, newest first",
        tags: ["webhooks"],
        params: TeamParams,
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: { 200: pageOf(WebhookView, "Webhooks"), ...problems(404) },
      },
    },
    async ({ params, query: { limit, cursor } }) => {
      await getTeam(pool, params.team);
      const after = parseCursor(cursor, cursorPart.moment, cursorPart.uuid);
      const rows = await listWebhooks(pool, params.team, { after, limit });
      return toPage(
        rows,
        limit,
        ({ webhook }) => webhookView(webhook),
        ({ key }) => key,
      );
    },
  );

  app.get(
    "/teams/:team/webhooks/:webhook",
    {
      schema: {
        summary: "Read a webhook",
        tags: ["webhooks"],
        params: WebhookParams,
        response: { 200: WebhookView, ...problems(404) },
      },
    },
    async ({ params }, reply) => {
      const webhook = await webhookOf(pool, params);
      return reply.header("etag", webhookEtag(webhook)).send(webhookView(webhook));
    },
  );

  app.patch(
    "/teams/:team/webhooks/:webhook",
    {
      schema: {
        summary: "Change a webhook, or enable it again",
        tags: ["webhooks"],
        params: WebhookParams,
        headers: Preconditions,
        body: WebhookPatch,
        response: { 200: WebhookView, ...problems(404, 412, 413, 415) },
      },
    },
    async (request, reply) => {
      const { url, description, events, enabled } = request.body;
      if (url !== undefined) checkUrl(webhooks.client, url);
      const after = await change(options, request, "webhook.update", (client, before) =>
        updateWebhook(client, {
          id: before.id,
          url: url ?? before.url,
          description: description ?? before.description,
          events: events ?? before.events,
          enabled: enabled ?? before.disabledAt === null,
        }),
      );
      return reply.header("etag", webhookEtag(after)).send(webhookView(after));
    },
  );

  app.post(
    "/teams/:team/webhooks/:webhook/secrets",
    {
      config: { answerHoldsSecret: true },
      schema: {
        summary: "Give a webhook its next secret; for a day, messages are signed with the one before, too",
        tags: ["webhooks"],
        params: WebhookParams,
        headers: Preconditions,
        response: { 201: SecretView, ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      const after = await change(options, request, "webhook.rotate", (client, { id }) =>
        nextSecret(client, id),
      );
      const { id, secretNumber, previousSecretUntil } = after;
      return reply
        .code(201)
        .header("etag", webhookEtag(after))
        .send({
          secret: webhooks.secrets.of({ id, number: secretNumber }),
          previousUntil: (previousSecretUntil as Date).toISOString(),
        });
    },
  );

  app.delete(
    "/teams/:team/webhooks/:webhook",
    {
      schema: {
        summary: "Delete a webhook, with what still waits for it",
        tags: ["webhooks"],
        params: WebhookParams,
        headers: Preconditions,
        response: { 204: Type.Null({ description: "Deleted" }), ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      await change(options, request, "webhook.delete", async (client, { id }) => {
        await deleteWebhook(client, id);
        return undefined;
      });
      return reply.code(204).send(null);
    },
  );
}

/** The webhook of a request's path; throws `team_not_found` or `webhook_not_found`. */
export async function webhookOf(
  pool: pg.Pool,
  { team, webhook }: { readonly team: string; readonly webhook: string },
): Promise<StoredWebhook> {
  await getTeam(pool, team);
  return getWebhook(pool, team, webhook);
}

export function pathOf({ team, id }: StoredWebhook): string {
  return `/teams/${team}/webhooks/${id}`;
}

/** Throws `invalid_request` for an address that nothing can be sent to. */
function checkUrl(client: GuardedClient, url: string): void {
  const message = client.problemOf(url);
  if (message !== undefined) throw invalid("invalid_request", [{ path: "/url", message }]);
}

async function change<Changed extends StoredWebhook | undefined>(
  { pool, audit }: WebhookRoutesOptions,
  request: FastifyRequest,
  action: string,
  work: (client: pg.PoolClient, before: StoredWebhook) => Promise<Changed>,
): Promise<Changed> {
  const { team, webhook: id } = request.params as { readonly team: string; readonly webhook: string };
  return inTransaction(pool, async (client) => {
    await holdTeam(client, team);
    const before = await lockWebhook(client, team, id);
    checkPreconditions(request, webhookEtag(before));
    const after = await work(client, before);
    await audit.change(client, auditContext(request), {
      action,
      team,
      target: pathOf(before),
      before: auditedWebhook(before),
      ...(after === undefined ? {} : { after: auditedWebhook(after) }),
    });
    return after;
  });
}
