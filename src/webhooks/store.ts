import { AppError } from "../errors.ts";
import type { Queryable } from "../postgres/pool.ts";

/** An address that a team wants to be told at. */
export interface StoredWebhook {
  readonly id: string;
  readonly team: string;
  readonly url: string;
  readonly description: string;
  readonly events: readonly string[];
  readonly version: number;
  readonly secretNumber: number;
  readonly previousSecretUntil: Date | null;
  readonly disabledAt: Date | null;
  readonly disabledReason: string | null;
  readonly failingSince: Date | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const columns = `id, team, url, description, events, version, secret_number as "secretNumber",
  previous_secret_until as "previousSecretUntil", disabled_at as "disabledAt", disabled_reason as "disabledReason",
  failing_since as "failingSince", created_by as "createdBy", created_at as "createdAt", updated_at as "updatedAt"`;

export const webhooksOfTeam = 20;
/** For how long the secret before still signs. */
export const secretOverlapHours = 24;

/** Throws `quota_exceeded` when the team has as many as it may; others that add one wait until the transaction has ended. */
export async function assertRoomForWebhook(db: Queryable, team: string): Promise<void> {
  await db.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`webhooks ${team}`]);
  const found = await db.query<{ count: number }>("select count(*) from webhooks where team = $1", [team]);
  if ((found.rows[0]?.count ?? 0) < webhooksOfTeam) return;
  throw new AppError(
    "quota_exceeded",
    `Team "${team}" has ${webhooksOfTeam} webhooks, which is as many as a team may have: delete one that isn't used`,
  );
}

export async function insertWebhook(
  db: Queryable,
  webhook: Pick<StoredWebhook, "team" | "url" | "description" | "events" | "createdBy">,
): Promise<StoredWebhook> {
  const inserted = await db.query<StoredWebhook>(
    `insert into webhooks (team, url, description, events, created_by) values ($1, $2, $3, $4, $5) returning ${columns}`,
    [webhook.team, webhook.url, webhook.description, webhook.events, webhook.createdBy],
  );
  return inserted.rows[0] as StoredWebhook;
}

/** The newest first; one more than `limit` when there is a further page. */
export async function listWebhooks(
  db: Queryable,
  team: string,
  { after, limit }: { readonly after: readonly string[] | undefined; readonly limit: number },
): Promise<{ webhook: StoredWebhook; key: readonly string[] }[]> {
  const [moment = null, id = null] = after ?? [];
  const found = await db.query<StoredWebhook & { moment: string }>(
    `select ${columns}, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as moment from webhooks
     where team = $1 and ($2::timestamptz is null or (created_at, id) < ($2::timestamptz, $3::uuid))
     order by created_at desc, id desc limit $4`,
    [team, moment, id, limit + 1],
  );
  return found.rows.map(({ moment: at, ...webhook }) => ({ webhook, key: [at, webhook.id] }));
}

/** Throws `webhook_not_found`. */
export async function getWebhook(db: Queryable, team: string, id: string): Promise<StoredWebhook> {
  return found(db, team, id, "");
}

/** Like `getWebhook`, and nobody else changes it until the transaction has ended. */
export async function lockWebhook(db: Queryable, team: string, id: string): Promise<StoredWebhook> {
  return found(db, team, id, "for no key update");
}

async function found(db: Queryable, team: string, id: string, lock: string): Promise<StoredWebhook> {
  const rows = await db.query<StoredWebhook>(
    `select ${columns} from webhooks where team = $1 and id = $2 ${lock}`,
    [team, id],
  );
  if (rows.rows[0]) return rows.rows[0];
  throw new AppError(
    "webhook_not_found",
    `Team "${team}" has no webhook ${id}: see GET /v1/teams/${team}/webhooks`,
  );
}

/** What a webhook is from now on. One that is enabled again begins with a clean record. */
export async function updateWebhook(
  db: Queryable,
  {
    id,
    url,
    description,
    events,
    enabled,
  }: Pick<StoredWebhook, "id" | "url" | "description" | "events"> & {
    readonly enabled: boolean;
  },
): Promise<StoredWebhook> {
  const updated = await db.query<StoredWebhook>(
    `update webhooks set url = $2, description = $3, events = $4, version = version + 1, updated_at = clock_timestamp(),
       failing_since = case when $5 and disabled_at is not null then null else failing_since end,
       disabled_reason = case when $5 then null else coalesce(disabled_reason, 'It was disabled by request') end,
       disabled_at = case when $5 then null else coalesce(disabled_at, clock_timestamp()) end
     where id = $1 returning ${columns}`,
    [id, url, description, events, enabled],
  );
  return updated.rows[0] as StoredWebhook;
}

/** Gives a webhook its next secret; the one before goes on signing for a day. */
export async function nextSecret(db: Queryable, id: string): Promise<StoredWebhook> {
  const updated = await db.query<StoredWebhook>(
    `update webhooks set secret_number = secret_number + 1, version = version + 1, updated_at = clock_timestamp(),
       previous_secret_until = clock_timestamp() + interval '${secretOverlapHours} hours'
     where id = $1 returning ${columns}`,
    [id],
  );
  return updated.rows[0] as StoredWebhook;
}

/** Deletes a webhook with all that was, or was to be, sent to it. */
export async function deleteWebhook(db: Queryable, id: string): Promise<void> {
  await db.query("delete from webhooks where id = $1", [id]);
}

/** Ends sending to a webhook for a reason that its team is told; undefined when it had ended already. */
export async function disableWebhook(
  db: Queryable,
  id: string,
  reason: string,
): Promise<StoredWebhook | undefined> {
  const disabled = await db.query<StoredWebhook>(
    `update webhooks set disabled_at = clock_timestamp(), disabled_reason = $2, version = version + 1,
       updated_at = clock_timestamp() where id = $1 and disabled_at is null returning ${columns}`,
    [id, reason],
  );
  return disabled.rows[0];
}
