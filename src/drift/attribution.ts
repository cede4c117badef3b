import type { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import type pg from "pg";
import type { Logger } from "pino";
import { getAccount } from "../accounts/store.ts";
import type { AccountClients } from "../aws/account-clients.ts";
import type { Queryable } from "../postgres/pool.ts";
import { lookUpChange } from "./change-records.ts";
import { inputOf } from "./sparing.ts";
import type { ChangedBy, Drift } from "./store.ts";

/** Where it is known who changed what: AWS's records, or what the sandbox's audit trail says of changes by hand. */
export type ChangeRecords =
  | { readonly of: "sandbox" }
  | { readonly of: "aws"; readonly clients: AccountClients<CloudTrailClient> };

// CloudTrail tells of a call within a quarter of an hour; who is not known by then is asked for no more.
const askedForMs = 30 * 60_000;
const askAgainMs = 5 * 60_000;
// With two questions a second, and two for each drift, a run takes less than a minute.
const mostAtOnce = 50;

type Unattributed = Pick<Drift, "id" | "type" | "path" | "awsId" | "firstSeenAt" | "lastSeenAt"> & {
  readonly team: string;
  readonly account: string;
};

/** Finds out who made the changes that drift checks found lately. To be called every minute; returns how many it could tell. */
export async function attributeDrifts(
  pool: pg.Pool,
  records: ChangeRecords,
  log: Logger,
  now: Date,
): Promise<number> {
  let told = 0;
  for (const drift of await unattributed(pool, now)) {
    let changedBy: ChangedBy | undefined;
    try {
      changedBy =
        records.of === "sandbox"
          ? await handChange(pool, drift)
          : await lookUpChange(records.clients(await getAccount(pool, drift.team, drift.account)), drift);
    } catch (error) {
      // An account that doesn't let the service ask must not keep the others from being asked.
      log.warn(
        { err: error, team: drift.team, account: drift.account },
        "who changed a resource could not be asked",
      );
    }
    if (changedBy !== undefined) told += 1;
    await pool.query("update drifts set changed_by = $2, looked_up_at = $3 where id = $1", [
      drift.id,
      changedBy ?? null,
      now,
    ]);
  }
  return told;
}

async function unattributed(db: Queryable, now: Date): Promise<Unattributed[]> {
  const found = await db.query<Unattributed>(
    `select d.id, d.type, d.path, d.aws_id as "awsId", d.first_seen_at as "firstSeenAt", d.last_seen_at as "lastSeenAt",
       p.team, p.account
     from drifts d join pipelines p on p.id = d.pipeline_id
     where d.changed_by is null and d.state in ('open', 'ignored', 'accepted') and d.class <> 'benign'
       and (d.looked_up_at is null or d.looked_up_at < least($1::timestamptz, d.first_seen_at + $2 * interval '1 millisecond'))
     order by d.looked_up_at nulls first, d.first_seen_at limit $3`,
    [new Date(now.getTime() - askAgainMs), askedForMs, mostAtOnce],
  );
  return found.rows;
}

/** What the audit trail says of changes that were made in the sandbox by hand. */
async function handChange(
  db: Queryable,
  { awsId, path, lastSeenAt }: Unattributed,
): Promise<ChangedBy | undefined> {
  const found = await db.query<{ label: string; action: string; at: Date; source_address: string | null }>(
    `select label, action, at, source_address from audit_entries
     where action = $1 and coalesce(after, before) ->> 'awsId' = $2 and at <= $3
       and ($4 = '' or (after -> 'properties')::jsonb ? $4)
     order by at desc limit 1`,
    [path === "" ? "sandbox_resource.delete" : "sandbox_resource.update", awsId, lastSeenAt, inputOf(path)],
  );
  const [entry] = found.rows;
  return (
    entry && {
      source: "sandbox",
      principal: entry.label,
      event: entry.action,
      at: entry.at.toISOString(),
      ...(entry.source_address === null ? {} : { sourceAddress: entry.source_address }),
    }
  );
}
