import { AppError } from "../errors.ts";
import type { Queryable } from "../postgres/pool.ts";
import type { Grant } from "./grants.ts";
import type { Role } from "./principal.ts";

export interface StoredKey {
  readonly id: string;
  readonly prefix: string;
  readonly name: string;
  /** Null: a key of the platform. */
  readonly team: string | null;
  readonly roles: readonly Role[];
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
}

const columns = `id, prefix, name, team, created_by as "createdBy", created_at as "createdAt",
  expires_at as "expiresAt", revoked_at as "revokedAt", last_used_at as "lastUsedAt",
  array(select unnest(roles) from grants where subject = 'key:' || k.id and grants.team is not distinct from k.team) as roles`;

export interface KeyToInsert {
  readonly id: string;
  readonly prefix: string;
  readonly digest: Buffer;
  readonly name: string;
  readonly team: string | null;
  readonly roles: readonly Role[];
  readonly createdBy: string;
  readonly expiresInDays: number;
}

// Each is an identity with limits of its own.
const maxKeysOfTeam = 100;

/** Throws `quota_exceeded` when a team has as many keys in force as it may; until the transaction has ended nobody else adds one. */
export async function assertRoomForKey(db: Queryable, team: string | null): Promise<void> {
  if (team === null) return;
  await db.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`keys ${team}`]);
  const found = await db.query<{ count: number }>(
    "select count(*) from api_keys where team = $1 and revoked_at is null and expires_at > now()",
    [team],
  );
  const count = found.rows[0]?.count ?? 0;
  if (count < maxKeysOfTeam) return;
  throw new AppError(
    "quota_exceeded",
    `Team "${team}" has ${count} keys in force, which is as many as a team may have: revoke one that isn't used`,
  );
}

/** Adds a key and what is granted to it. */
export async function insertKey(db: Queryable, key: KeyToInsert): Promise<StoredKey> {
  await db.query(
    `insert into api_keys (id, prefix, digest, name, team, created_by, expires_at)
     values ($1, $2, $3, $4, $5, $6, now() + make_interval(days => $7))`,
    [key.id, key.prefix, key.digest, key.name, key.team, key.createdBy, key.expiresInDays],
  );
  await db.query("insert into grants (subject, team, roles, granted_by) values ($1, $2, $3, $4)", [
    `key:${key.id}`,
    key.team,
    key.roles,
    key.createdBy,
  ]);
  return getKey(db, key.team, key.id);
}

/** A key of the team, or of the platform; throws `key_not_found`, also for one of another team. */
export async function getKey(db: Queryable, team: string | null, id: string): Promise<StoredKey> {
  const found = await db.query<StoredKey>(
    `select ${columns} from api_keys k where id = $1 and team is not distinct from $2`,
    [id, team],
  );
  const key = found.rows[0];
  if (key !== undefined) return key;
  const whose = team === null ? "The platform" : `Team "${team}"`;
  throw new AppError("key_not_found", `${whose} has no API key "${id}": list them to find its id`);
}

/** The newest first; one row more than `limit` when there is a further page. */
export async function listKeys(
  db: Queryable,
  team: string | null,
  { after, limit }: { readonly after: readonly string[] | undefined; readonly limit: number },
): Promise<{ key: StoredKey; position: readonly string[] }[]> {
  const [afterTime, afterId] = after ?? [null, null];
  const found = await db.query<StoredKey & { time: string }>(
    `select ${columns}, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time from api_keys k
     where team is not distinct from $1 and ($2::timestamptz is null or (created_at, id) < ($2::timestamptz, $3::uuid))
     order by created_at desc, id desc limit $4`,
    [team, afterTime, afterId, limit + 1],
  );
  return found.rows.map(({ time, ...key }) => ({ key, position: [time, key.id] }));
}

/** Takes a key out of force; false when that was done before. */
export async function revokeKey(db: Queryable, id: string): Promise<boolean> {
  const revoked = await db.query(
    "update api_keys set revoked_at = now() where id = $1 and revoked_at is null",
    [id],
  );
  return revoked.rowCount === 1;
}

export interface PresentedKey {
  readonly id: string;
  readonly digest: Buffer;
  readonly name: string;
  readonly expiresAt: Date;
  readonly expired: boolean;
  readonly revoked: boolean;
  readonly usedRecently: boolean;
  readonly grants: readonly Grant[];
}

/** What authentication must know of keys, by the prefixes that are part of them; the database's clock judges expiry. */
export async function findPresentedKeys(
  db: Queryable,
  prefixes: readonly string[],
): Promise<ReadonlyMap<string, PresentedKey>> {
  const found = await db.query<PresentedKey & { prefix: string }>({
    name: "presented-keys",
    text: `select prefix, id, digest, name, expires_at as "expiresAt", expires_at <= now() as expired,
       revoked_at is not null as revoked, coalesce(last_used_at > now() - interval '1 minute', false) as "usedRecently",
       coalesce((select jsonb_agg(jsonb_build_object('team', team, 'roles', roles)) from grants
                 where subject = 'key:' || k.id), '[]') as grants
     from api_keys k where prefix = any ($1)`,
    values: [prefixes],
  });
  return new Map(found.rows.map((row) => [row.prefix, row]));
}

export async function findPresentedKey(db: Queryable, prefix: string): Promise<PresentedKey | undefined> {
  return (await findPresentedKeys(db, [prefix])).get(prefix);
}

/** Notes that a key was used, at most once a minute. */
export async function touchKey(db: Queryable, id: string): Promise<void> {
  await db.query(
    `update api_keys set last_used_at = now()
     where id = $1 and (last_used_at is null or last_used_at <= now() - interval '1 minute')`,
    [id],
  );
}
