import { AppError } from "../errors.ts";
import type { Queryable } from "../postgres/pool.ts";

export const deliveryStates = ["pending", "delivered", "dead"] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** An event on its way to a webhook, or how that ended. */
export interface Delivery {
  readonly id: string;
  readonly position: number;
  readonly eventId: string;
  readonly type: string;
  readonly about: string;
  readonly at: Date;
  readonly data: Readonly<Record<string, unknown>>;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly nextAttemptAt: Date;
  readonly lastAttemptAt: Date | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
}

const columns = `d.id, d.position, d.event_id as "eventId", o.type, o.about, o.at, o.data, d.state, d.attempts,
  d.next_attempt_at as "nextAttemptAt", d.last_attempt_at as "lastAttemptAt", d.last_status as "lastStatus",
  d.last_error as "lastError", d.created_at as "createdAt", d.ended_at as "endedAt"`;

/** The newest first; one more than `limit` when there is a further page. */
export async function listDeliveries(
  db: Queryable,
  webhookId: string,
  {
    state,
    before,
    limit,
  }: {
    readonly state: DeliveryState | undefined;
    readonly before: string | undefined;
    readonly limit: number;
  },
): Promise<Delivery[]> {
  const found = await db.query<Delivery>(
    `select ${columns} from webhook_deliveries d join webhook_outbox o on o.id = d.event_id
     where d.webhook_id = $1 and ($2::text is null or d.state = $2) and ($3::bigint is null or d.position < $3)
     order by d.position desc limit $4`,
    [webhookId, state ?? null, before ?? null, limit + 1],
  );
  return found.rows;
}

/** Throws `delivery_not_found`. */
export async function getDelivery(db: Queryable, webhookId: string, id: string): Promise<Delivery> {
  const found = await db.query<Delivery>(
    `select ${columns} from webhook_deliveries d join webhook_outbox o on o.id = d.event_id
     where d.webhook_id = $1 and d.id = $2`,
    [webhookId, id],
  );
  if (found.rows[0]) return found.rows[0];
  throw new AppError("delivery_not_found", `The webhook has no delivery ${id}: see its list of deliveries`);
}

/** Sends an event once more, after all that waits for the webhook about the same thing; throws `delivery_not_found`. */
export async function replayDelivery(db: Queryable, webhookId: string, id: string): Promise<Delivery> {
  const { eventId, about } = await getDelivery(db, webhookId, id);
  const inserted = await db.query<{ id: string }>(
    "insert into webhook_deliveries (webhook_id, event_id, about) values ($1, $2, $3) returning id",
    [webhookId, eventId, about],
  );
  return getDelivery(db, webhookId, (inserted.rows[0] as { id: string }).id);
}

/** Sends an event of no meaning to this webhook alone. */
export async function testDelivery(
  db: Queryable,
  { id, team }: { readonly id: string; readonly team: string },
  data: Readonly<Record<string, unknown>>,
): Promise<Delivery> {
  const told = await db.query<{ id: string }>(
    `insert into webhook_outbox (team, about, type, data, webhook_id)
     values ($1, $2, 'webhook.test', $3, $4) returning id`,
    [team, `webhooks/${id}`, JSON.stringify(data), id],
  );
  const delivery = await db.query<{ id: string }>("select id from webhook_deliveries where event_id = $1", [
    told.rows[0]?.id,
  ]);
  return getDelivery(db, id, delivery.rows[0]?.id ?? "");
}
