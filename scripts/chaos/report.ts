import type pg from "pg";
import type { Facts } from "./facts/facts.ts";
import { invariants } from "./invariants/index.ts";
import type { Violation } from "./invariants/violation.ts";

// One defect may break an invariant for each of a stack's 300 resources.
const told = 10;

/** Judges the facts by every invariant, tells the result of each, and returns what was found. */
export function judge(facts: Facts, print: (line: string) => void): Violation[] {
  return Object.entries(invariants).flatMap(([name, check]) => tell(name, check(facts), print));
}

/** Tells how one invariant came out. */
export function tell(
  name: string,
  violations: readonly Violation[],
  print: (line: string) => void,
): Violation[] {
  print(violations.length === 0 ? `✓ ${name}` : `✗ ${name}: ${violations.length}`);
  for (const { kind, text } of violations.slice(0, told)) print(`    ${kind}: ${text}`);
  if (violations.length > told) print(`    … and ${violations.length - told} more`);
  return [...violations];
}

interface StoryRow {
  readonly line: string;
}

/** How the operations behind these violations went, from their rows and their last events. */
export async function stories(pool: pg.Pool, violations: readonly Violation[]): Promise<string[]> {
  const ids = [...new Set(violations.flatMap(({ operations }) => operations))];
  const { rows } = await pool.query<StoryRow>(
    `select concat_ws(' ', to_char(o.created_at, 'HH24:MI:SS.MS'), s.name, o.kind, o.id, o.state,
         'node ' || o.node, 'claim ' || o.fencing_token, 'started ' || to_char(o.started_at, 'HH24:MI:SS.MS'),
         'ended ' || to_char(o.finished_at, 'HH24:MI:SS.MS'), o.error->>'code', o.error->>'message', e.told) as line
     from operations o join stacks s on s.id = o.stack_id left join lateral (
       select string_agg(to_char(at, 'HH24:MI:SS.MS') || ' ' || coalesce(body->>'status', type) || ' ' ||
           coalesce(body->>'action', '') || ' ' || coalesce(body->>'name', left(body->>'message', 120), ''), ' | ' order by sequence) as told
       from (select * from operation_events where operation_id = o.id order by sequence desc limit 6) last
     ) e on true
     where o.id::text = any ($1) order by s.name, o.created_at`,
    [ids],
  );
  return rows.map(({ line }) => line);
}
