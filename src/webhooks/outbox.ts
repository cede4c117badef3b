import { toJsonb } from "../postgres/json.ts";
import type { Queryable } from "../postgres/pool.ts";
import type { WebhookEventType } from "./event-types.ts";

export interface WebhookEvent {
  readonly team: string;
  /** What it is about, such as `pipelines/churn` or `accounts/main`: events about the same thing are sent in order. */
  readonly about: string;
  readonly type: WebhookEventType;
  /** What the team may see of it; masked once more when it is sent. */
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * Tells a team's webhooks of something, in the transaction in which it happens. (Of changes of an operation's state the database
 * tells by itself.)
 */
export async function tellWebhooks(db: Queryable, { team, about, type, data }: WebhookEvent): Promise<void> {
  await db.query("insert into webhook_outbox (team, about, type, data) values ($1, $2, $3, $4)", [
    team,
    about,
    type,
    toJsonb(data),
  ]);
}
