import type pg from "pg";
import type { Adopted, Singleton } from "../../programs/singletons.ts";
import { type AuditTrail, serviceContext } from "../audit/trail.ts";
import { AppError } from "../errors.ts";
import { activeChange } from "../operations/store.ts";
import { submitOperation } from "../operations/submit.ts";
import { toJsonb } from "../postgres/json.ts";
import type { Queryable } from "../postgres/pool.ts";
import { type FoundationRequest, type FoundationSettings, settingsFor } from "./settings.ts";

/**
 * Brings the settings of a foundation to what its registrations ask for now; the caller holds the foundation's lock. Throws
 * `account_conflict` where they can't be had together, and where pipelines would lose what they stand on.
 */
export async function agreeOnSettings(db: Queryable, stackId: string): Promise<void> {
  const requests = await db.query<{ foundation: FoundationRequest }>(
    `select a.foundation from accounts a join foundations f using (aws_account_id, region)
     where f.stack_id = $1 order by a.created_at, a.team, a.name`,
    [stackId],
  );
  const settings = settingsFor(
    requests.rows.map(({ foundation }) => foundation),
    await cidrInUse(db, stackId),
  );
  if (settings.profile === "learning") await refuseUnderProduction(db, stackId);
  await db.query("update foundations set settings = $2 where stack_id = $1", [stackId, toJsonb(settings)]);
}

/** The range of the network that is there, or is just being made. */
async function cidrInUse(db: Queryable, stackId: string): Promise<string | undefined> {
  const found = await db.query<{ cidr: string }>(
    "select inputs->>'cidrBlock' as cidr from resources where stack_id = $1 and type = 'aws:ec2/vpc:Vpc'",
    [stackId],
  );
  const recorded = found.rows[0]?.cidr;
  if (recorded !== undefined) return recorded;
  const change = await activeChange(db, stackId);
  if (change?.state !== "running") return undefined;
  const running = await db.query<{ settings: FoundationSettings }>(
    "select settings from foundations where stack_id = $1",
    [stackId],
  );
  return running.rows[0]?.settings.cidr;
}

async function refuseUnderProduction(db: Queryable, stackId: string): Promise<void> {
  const found = await db.query<{ name: string }>(
    `select p.team || '/' || p.name as name from pipelines p
     join accounts a on a.team = p.team and a.name = p.account
     join foundations f using (aws_account_id, region)
     where f.stack_id = $1 and p.deleted_at is null and exists (
       select from revisions r where r.pipeline_id = p.id and r.number in (p.desired_revision, p.applied_revision)
         and r.spec->>'profile' = 'production')
     order by 1 limit 5`,
    [stackId],
  );
  if (found.rows.length === 0) return;
  const names = found.rows.map(({ name }) => name).join(", ");
  const message = `must be production while production pipelines stand on it (${names}): give that, or move them to learning first`;
  throw new AppError("account_conflict", `The foundation's profile ${message}`, {
    details: { errors: [{ path: "/foundation/profile", message }] },
  });
}

export async function setFoundationReady(db: Queryable, stackId: string, ready: boolean): Promise<void> {
  await db.query("update foundations set ready = $2, released_at = null where stack_id = $1", [
    stackId,
    ready,
  ]);
}

/** Makes this the only transaction that decides about the foundation of an account; undefined when there is none. */
export async function lockFoundationOf(
  db: Queryable,
  team: string,
  account: string,
): Promise<{ readonly stackId: string; readonly settings: FoundationSettings } | undefined> {
  const found = await db.query<{ stack_id: string; settings: FoundationSettings }>(
    `select f.stack_id, f.settings from foundations f join accounts a using (aws_account_id, region)
     where a.team = $1 and a.name = $2 for update of f`,
    [team, account],
  );
  const row = found.rows[0];
  return row && { stackId: row.stack_id, settings: row.settings };
}

/**
 * Does with a foundation what its registrations want when the last pipeline on it is gone; the caller holds its lock, so no
 * pipeline can appear on it meanwhile. Whoever works on the foundation just then wants it, and keeps it.
 */
export async function endIfUnused(
  client: pg.PoolClient,
  audit: AuditTrail,
  last: { readonly team: string; readonly account: string; readonly requestId: string },
): Promise<void> {
  const foundation = await lockFoundationOf(client, last.team, last.account);
  if (foundation === undefined || foundation.settings.onUnused === "keep") return;
  const { stackId, settings } = foundation;
  if (await hasPipelines(client, stackId)) return;
  if (await activeChange(client, stackId)) return;
  const by = serviceContext(last.requestId);
  const target = `/teams/${last.team}/accounts/${last.account}/foundation`;
  if (settings.onUnused === "release") {
    await client.query("update foundations set ready = false, released_at = now() where stack_id = $1", [
      stackId,
    ]);
    await audit.change(client, by, {
      action: "foundation.release",
      team: last.team,
      target,
      before: { settings },
    });
    return;
  }
  const operation = await submitOperation(client, {
    kind: "destroy",
    stackId,
    team: last.team,
    subject: { type: "account", account: last.account },
    revision: null,
    options: { data: "retain", keepsAccount: true },
    requestId: by.requestId,
    requestedBy: by.subject,
  });
  await audit.change(client, by, {
    action: "foundation.delete",
    team: last.team,
    target,
    before: { settings },
    after: { operation: operation.id },
  });
}

async function hasPipelines(db: Queryable, stackId: string): Promise<boolean> {
  const found = await db.query(
    `select from pipelines p join accounts a on a.team = p.team and a.name = p.account
     join foundations f using (aws_account_id, region)
     where f.stack_id = $1 and p.deleted_at is null limit 1`,
    [stackId],
  );
  return found.rowCount !== 0;
}

/** Whose a singleton of the account is: the foundation's own, or somebody else's that it uses as it is. */
export interface SingletonRecord {
  readonly singleton: Singleton;
  readonly ownership: "owned" | "adopted";
  /** Null while the foundation's own is still to be made. */
  readonly id: string | null;
  readonly since: Date;
}

export async function listSingletons(db: Queryable, stackId: string): Promise<SingletonRecord[]> {
  const found = await db.query<SingletonRecord>(
    `select singleton, ownership, aws_id as id, since from foundation_singletons
     where stack_id = $1 order by singleton`,
    [stackId],
  );
  return found.rows;
}

/** Replaces what was found before; an ownership that goes on keeps its beginning. */
export async function recordSingletons(
  db: Queryable,
  stackId: string,
  found: readonly Omit<SingletonRecord, "since">[],
  unlisted: readonly string[],
): Promise<void> {
  await db.query("delete from foundation_singletons where stack_id = $1 and not singleton = any ($2)", [
    stackId,
    found.map(({ singleton }) => singleton),
  ]);
  await db.query(
    `insert into foundation_singletons as s (stack_id, singleton, ownership, aws_id)
     select $1, f.singleton, f.ownership, f.id
     from jsonb_to_recordset($2::jsonb) as f(singleton text, ownership text, id text)
     on conflict (stack_id, singleton) do update
       set ownership = excluded.ownership, aws_id = excluded.aws_id, since = now()
       where (s.ownership, s.aws_id) is distinct from (excluded.ownership, excluded.aws_id)`,
    [stackId, toJsonb(found)],
  );
  await db.query("update foundations set unlisted = $2 where stack_id = $1", [stackId, unlisted]);
}

export async function forgetSingletons(db: Queryable, stackId: string): Promise<void> {
  await recordSingletons(db, stackId, [], []);
}

export async function unlistedTypes(db: Queryable, stackId: string): Promise<string[]> {
  const found = await db.query<{ unlisted: string[] }>(
    "select unlisted from foundations where stack_id = $1",
    [stackId],
  );
  return found.rows[0]?.unlisted ?? [];
}

/** Ids of what is used as it is, by singleton. */
export function adoptedIn(
  records: readonly Pick<SingletonRecord, "singleton" | "ownership" | "id">[],
): Adopted {
  return Object.fromEntries(
    records.flatMap(({ singleton, ownership, id }) =>
      ownership === "adopted" && id !== null ? [[singleton, id]] : [],
    ),
  );
}
