import type { FastifyReply, FastifyRequest } from "fastify";
import type pg from "pg";
import Type from "typebox";
import { auditContext } from "../audit/trail.ts";
import { AppError } from "../errors.ts";
import { type App, problems } from "../http/app-types.ts";
import { cursorPart, PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { inTransaction } from "../postgres/pool.ts";
import { holdTeam } from "../teams/store.ts";
import {
  type Delivery,
  deliveryStates,
  getDelivery,
  listDeliveries,
  replayDelivery,
  testDelivery,
} from "./deliveries.ts";
import { pathOf, WebhookParams, type WebhookRoutesOptions, webhookOf } from "./routes.ts";
import { DeliveryId, DeliveryView, deliveryView, WholeDeliveryView } from "./schema.ts";
import { getWebhook, type StoredWebhook } from "./store.ts";

const DeliveryParams = Type.Object({ ...WebhookParams.properties, delivery: DeliveryId });

export function deliveryRoutes(app: App, options: WebhookRoutesOptions): void {
  const { pool } = options;

  app.get(
    "/teams/:team/webhooks/:webhook/deliveries",
    {
      schema: {
        summary: "List what was, or is to be, sent to a webhook, newest first",
        tags: ["webhooks"],
        params: WebhookParams,
        querystring: Type.Object(
          {
            ...PageQuery,
            state: Type.Optional(
              Type.Enum([...deliveryStates], { description: "Only deliveries in this state" }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: pageOf(DeliveryView, "Deliveries of the last 30 days"), ...problems(404) },
      },
    },
    async ({ params, query: { limit, cursor, state } }) => {
      const { id } = await webhookOf(pool, params);
      const before = parseCursor(cursor, cursorPart.count)?.[0];
      const rows = await listDeliveries(pool, id, { state, before, limit });
      return toPage(rows, limit, deliveryView, ({ position }) => [String(position)]);
    },
  );

  app.get(
    "/teams/:team/webhooks/:webhook/deliveries/:delivery",
    {
      schema: {
        summary: "Read a delivery, with what it tells",
        tags: ["webhooks"],
        params: DeliveryParams,
        response: { 200: WholeDeliveryView, ...problems(404) },
      },
    },
    async ({ params }) => {
      const { id } = await webhookOf(pool, params);
      const delivery = await getDelivery(pool, id, params.delivery);
      return { ...deliveryView(delivery), data: { ...delivery.data } };
    },
  );

  app.post(
    "/teams/:team/webhooks/:webhook/deliveries/:delivery/replay",
    {
      schema: {
        summary: "Send an event again, under its old id; it comes after all that waits about the same thing",
        tags: ["webhooks"],
        params: DeliveryParams,
        response: { 201: DeliveryView, ...problems(404, 409) },
      },
    },
    async (request, reply) =>
      queue(options, request, reply, "webhook.replay", (client, { id }) =>
        replayDelivery(client, id, request.params.delivery),
      ),
  );

  app.post(
    "/teams/:team/webhooks/:webhook/test",
    {
      schema: {
        summary: "Send an event of type webhook.test, to try the receiver",
        tags: ["webhooks"],
        params: WebhookParams,
        response: { 201: DeliveryView, ...problems(404, 409) },
      },
    },
    async (request, reply) =>
      queue(options, request, reply, "webhook.test", (client, webhook) =>
        testDelivery(client, webhook, { webhook: webhook.id, team: webhook.team }),
      ),
  );
}

/** Queues a delivery to the webhook of the path; throws `webhook_disabled` where it would never be sent. */
async function queue(
  { pool, audit }: WebhookRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  action: string,
  add: (client: pg.PoolClient, webhook: StoredWebhook) => Promise<Delivery>,
): Promise<FastifyReply> {
  const { team, webhook: id } = request.params as { readonly team: string; readonly webhook: string };
  const queued = await inTransaction(pool, async (client) => {
    await holdTeam(client, team);
    const webhook = await getWebhook(client, team, id);
    if (webhook.disabledAt !== null) {
      throw new AppError(
        "webhook_disabled",
        `Webhook ${id} is disabled: enable it first, by PATCH with "enabled": true`,
      );
    }
    const delivery = deliveryView(await add(client, webhook));
    const target = `${pathOf(webhook)}/deliveries/${delivery.id}`;
    await audit.change(client, auditContext(request), { action, team, target, after: delivery });
    return { delivery, target };
  });
  return reply.code(201).header("location", `/v1${queued.target}`).send(queued.delivery);
}
