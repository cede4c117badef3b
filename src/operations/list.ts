import pg from "pg";
import type { Queryable, Statement } from "../postgres/pool.ts";
import type { OperationKind, OperationState } from "./states.ts";
import { fromRow, type Operation, type OperationRow, operationColumns } from "./store.ts";

export interface OperationFilter {
  /** The teams whose operations may be seen; undefined: all. */
  readonly visible: readonly string[] | undefined;
  readonly team?: string | undefined;
  readonly pipeline?: string | undefined;
  readonly state?: OperationState | undefined;
  readonly kind?: OperationKind | undefined;
  /** Key of the last item of the page before: creation time in ISO form with microseconds, and id. */
  readonly after?: readonly string[] | undefined;
  readonly limit: number;
}

/** The newest first; one row more than `limit` when there is a further page. */
export async function listOperations(
  db: Queryable,
  filter: OperationFilter,
): Promise<{ operation: Operation; key: readonly string[] }[]> {
  const found = await db.query<OperationRow & { key_time: string }>(pageStatement(filter));
  return found.rows.map((row) => ({ operation: fromRow(row), key: [row.key_time, row.id] }));
}

/**
 * Holds only the conditions that were asked for: beside one that a parameter can switch off no index is used. Not prepared where it
 * names a state or a kind, or each of them would be a statement of its own on each connection.
 */
function pageStatement({ visible, team, pipeline, state, kind, after, limit }: OperationFilter): Statement {
  const values: unknown[] = [limit + 1];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const conditions: string[] = [];
  if (pipeline !== undefined) conditions.push(`pipeline = ${parameter(pipeline)}`);
  if (after !== undefined) {
    conditions.push(`(created_at, id) < (${parameter(after[0])}::timestamptz, ${parameter(after[1])}::uuid)`);
  }
  // Not as parameters: what is seldom has an index of its own.
  if (state !== undefined) conditions.push(`state = ${pg.escapeLiteral(state)}`);
  if (kind !== undefined) conditions.push(`kind = ${pg.escapeLiteral(kind)}`);
  const newest = (from: string, where: readonly string[]) =>
    `select operations.* from ${from}${where.length === 0 ? "" : ` where ${where.join(" and ")}`}
     order by operations.created_at desc, operations.id desc limit $1`;
  if (visible === undefined && team !== undefined) conditions.push(`team = ${parameter(team)}`);
  const page =
    visible === undefined
      ? newest("operations", conditions)
      : // A page of each team: what the other teams did costs nothing.
        newest(
          `teams cross join lateral (${newest("operations", [
            "team = teams.name",
            // What an earlier team of the same name did is none of this one's business.
            "created_at >= teams.created_at",
            ...conditions,
          ])}) operations`,
          [`teams.name = any (${parameter(visible.filter((name) => team === undefined || name === team))})`],
        );
  const text = `select ${operationColumns}, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as key_time
    from (${page}) operations order by created_at desc, id desc`;
  if (state !== undefined || kind !== undefined) return { text, values };
  const given = { visible, team, pipeline, after };
  const names = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  return { name: ["operations", ...names].join("-"), text, values };
}
