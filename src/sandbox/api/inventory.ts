import type pg from "pg";
import type { Queryable } from "../../postgres/pool.ts";
import type { StoredResource } from "../store.ts";
import type { PropertyMap } from "../values.ts";

export interface InventoryFilter {
  readonly type?: string | undefined;
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  /** Tags that the resource, or the resource it is a part of, must bear. */
  readonly tags: Readonly<Record<string, string>>;
  readonly includesScheduled: boolean;
  /** The number of the last resource of the page before. */
  readonly after: number;
  readonly limit: number;
}

/** Resources in the order of their creation; one more than `limit`, so that the caller knows whether there is a next page. */
export async function listResources(pool: pg.Pool, filter: InventoryFilter): Promise<StoredResource[]> {
  const { rows } = await pool.query<StoredResource>(
    `select r.* from sandbox.resources r
     where r.number > $1
       and ($2::text is null or r.type = $2)
       and ($3::text is null or r.account = $3)
       and ($4::text is null or r.region = $4)
       and ($5 or r.deletion_due_at is null)
       and ($6::jsonb = '{}' or r.outputs->'tagsAll' @> $6 or exists (
         select from sandbox.resources whole
         where whole.outputs->'tagsAll' @> $6 and r.parent in
           (whole.type || '|' || whole.aws_id, whole.type || '|' || whole.arn, whole.type || '|' || whole.name)))
     order by r.number limit $7`,
    [
      filter.after,
      filter.type ?? null,
      filter.account ?? null,
      filter.region ?? null,
      filter.includesScheduled,
      JSON.stringify(filter.tags),
      filter.limit + 1,
    ],
  );
  return rows;
}

export async function findResource(db: Queryable, id: string): Promise<StoredResource | undefined> {
  const { rows } = await db.query<StoredResource>("select * from sandbox.resources where id = $1", [id]);
  return rows[0];
}

/** Replaces the properties, unless somebody changed the resource since `previous` was read. */
export async function changeResource(
  db: Queryable,
  previous: StoredResource,
  next: { readonly inputs: PropertyMap; readonly outputs: PropertyMap },
): Promise<StoredResource | undefined> {
  const { rows } = await db.query<StoredResource>(
    `update sandbox.resources set inputs = $2, outputs = $3, updated_at = clock_timestamp()
     where id = $1 and date_trunc('milliseconds', updated_at) = $4 returning *`,
    [previous.id, JSON.stringify(next.inputs), JSON.stringify(next.outputs), previous.updated_at],
  );
  return rows[0];
}

export async function setContents(
  db: Queryable,
  id: string,
  items: number,
): Promise<StoredResource | undefined> {
  const { rows } = await db.query<StoredResource>(
    "update sandbox.resources set contents = $2 where id = $1 returning *",
    [id, items],
  );
  return rows[0];
}
