import type { Queryable } from "../postgres/pool.ts";

/** An attempt to deliver that this node is making. */
export interface Attempt {
  readonly deliveryId: string;
  readonly webhookId: string;
  readonly eventId: string;
  readonly type: string;
  readonly about: string;
  readonly at: Date;
  readonly data: Readonly<Record<string, unknown>>;
  /** Which attempt it is; what an earlier one still has to say counts for nothing. */
  readonly attempts: number;
  readonly url: string;
  readonly secretNumber: number;
  readonly previousSecretIsValid: boolean;
}

// Slow receivers of one team must not keep those of others waiting.
const attemptsOfWebhook = 4;

/**
 * Takes the delivery that has been due for the longest time, for so long; undefined when none is. Of those to one webhook about one
 * thing only the oldest can be taken: the others wait until it was delivered or given up.
 */
export async function takeAttempt(db: Queryable, leaseMs: number): Promise<Attempt | undefined> {
  const taken = await db.query<Attempt>(
    `with due as (
       select d.id from webhook_deliveries d join webhooks w on w.id = d.webhook_id
       where d.state = 'pending' and d.next_attempt_at <= clock_timestamp() and w.disabled_at is null
         and (d.leased_until is null or d.leased_until < clock_timestamp())
         and not exists (
           select from webhook_deliveries e
           where e.webhook_id = d.webhook_id and e.about = d.about and e.state = 'pending' and e.id <> d.id
             and (e.position < d.position or e.leased_until > clock_timestamp()))
         and (select count(*) from webhook_deliveries l
           where l.webhook_id = d.webhook_id and l.state = 'pending' and l.leased_until > clock_timestamp()) < $2
       order by d.next_attempt_at, d.position limit 1 for update of d skip locked)
     update webhook_deliveries d set attempts = d.attempts + 1, last_attempt_at = clock_timestamp(),
       leased_until = clock_timestamp() + $1 * interval '1 millisecond'
     from due, webhooks w, webhook_outbox o
     where d.id = due.id and w.id = d.webhook_id and o.id = d.event_id
     returning d.id as "deliveryId", d.webhook_id as "webhookId", d.event_id as "eventId", o.type, o.about, o.at, o.data,
       d.attempts, w.url, w.secret_number as "secretNumber",
       coalesce(w.previous_secret_until > clock_timestamp(), false) as "previousSecretIsValid"`,
    [leaseMs, attemptsOfWebhook],
  );
  return taken.rows[0];
}

/** Records that the receiver took it. */
export async function recordSuccess(db: Queryable, attempt: Attempt, status: number): Promise<void> {
  const { deliveryId, attempts, webhookId } = attempt;
  await db.query(
    `update webhook_deliveries set state = 'delivered', leased_until = null, last_status = $3, last_error = null,
       ended_at = clock_timestamp() where id = $1 and attempts = $2 and state = 'pending'`,
    [deliveryId, attempts, status],
  );
  await db.query("update webhooks set failing_since = null where id = $1 and failing_since is not null", [
    webhookId,
  ]);
}

export interface Failure {
  readonly status: number | null;
  readonly error: string;
  readonly retryInMs: number;
  /** The receiver says that it will never take anything again. */
  readonly final: boolean;
}

/**
 * Records that the receiver did not take it, and when it is tried again, with all that waits for it. Tells whether it was given up, and
 * whether nothing at all was taken while it was tried.
 */
export async function recordFailure(
  db: Queryable,
  { deliveryId, attempts, webhookId, about }: Attempt,
  { status, error, retryInMs, final }: Failure,
): Promise<{ readonly givenUp: boolean; readonly nothingTaken: boolean }> {
  await db.query(
    "update webhooks set failing_since = coalesce(failing_since, clock_timestamp()) where id = $1",
    [webhookId],
  );
  const recorded = await db.query<{ given_up: boolean; nothing_taken: boolean; next_attempt_at: Date }>(
    `update webhook_deliveries d set leased_until = null, last_status = $3, last_error = $4,
       next_attempt_at = clock_timestamp() + $5 * interval '1 millisecond',
       state = case when ends then 'dead' else 'pending' end, ended_at = case when ends then clock_timestamp() end
     from (select $6 or give_up_at < clock_timestamp() + $5 * interval '1 millisecond' as ends
       from webhook_deliveries where id = $1) fate, webhooks w
     where d.id = $1 and d.attempts = $2 and d.state = 'pending' and w.id = d.webhook_id
     returning d.state = 'dead' as given_up, w.failing_since < d.created_at + interval '1 day' as nothing_taken,
       d.next_attempt_at`,
    [deliveryId, attempts, status, error, retryInMs, final],
  );
  const row = recorded.rows[0];
  if (row === undefined) return { givenUp: false, nothingTaken: false };
  if (!row.given_up) {
    await db.query(
      `update webhook_deliveries set next_attempt_at = $3
       where webhook_id = $1 and about = $2 and state = 'pending' and next_attempt_at < $3 and id <> $4`,
      [webhookId, about, row.next_attempt_at, deliveryId],
    );
  }
  return { givenUp: row.given_up, nothingTaken: row.nothing_taken };
}

/** Gives up what waits for webhooks that were disabled for too long, and removes what is older than a month. */
export async function forgetOldDeliveries(db: Queryable): Promise<void> {
  await db.query(
    `update webhook_deliveries d set state = 'dead', ended_at = clock_timestamp(),
       last_error = coalesce(last_error, 'The webhook is disabled')
     from webhooks w where w.id = d.webhook_id and w.disabled_at is not null and d.state = 'pending'
       and d.give_up_at < clock_timestamp() and (d.leased_until is null or d.leased_until < clock_timestamp())`,
  );
  await db.query(
    `delete from webhook_outbox o where at < clock_timestamp() - interval '30 days'
       and not exists (select from webhook_deliveries d where d.event_id = o.id and d.state = 'pending')`,
  );
}
