import { rolesOf } from "../access/grants.ts";
import type { Operation } from "../operations/store.ts";
import type { Queryable } from "../postgres/pool.ts";
import type { Makers } from "./people.ts";
import { countPeople, mayBeSame } from "./people.ts";
import type { ApproverRole } from "./terms.ts";

export interface Vote {
  readonly digest: string;
  readonly subject: string;
  /** Whose subject it is; null for keys, which are the service's own. */
  readonly issuer: string | null;
  readonly label: string;
  readonly verdict: "approve" | "reject";
  readonly comment: string | null;
  readonly at: Date;
}

/** Adds a vote; false when this subject has voted on that plan before. */
export async function insertVote(
  db: Queryable,
  operationId: string,
  { digest, subject, issuer, label, verdict, comment }: Omit<Vote, "at">,
): Promise<boolean> {
  const inserted = await db.query(
    `insert into approvals (operation_id, digest, subject, issuer, label, verdict, comment)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
    [operationId, digest, subject, issuer, label, verdict, comment],
  );
  return inserted.rowCount === 1;
}

/** The votes on an operation's plans, the oldest first. */
export async function listVotes(db: Queryable, operationId: string): Promise<Vote[]> {
  const found = await db.query<Vote>(
    `select digest, subject, issuer, label, verdict, comment, at from approvals
     where operation_id = $1 order by at, subject`,
    [operationId],
  );
  return found.rows;
}

/** Subjects that asked for what the operation does: it itself, and its revision. */
export async function requestersOf(db: Queryable, operation: Operation): Promise<string[]> {
  const { subject, revision, requestedBy, kind } = operation;
  const applies = subject.type === "pipeline" && (kind === "update" || kind === "rollback");
  const found = applies
    ? await db.query<{ subject: string }>(
        `select distinct requested_by as subject from operations
         where pipeline_id = $1 and revision = $2 and kind in ('update', 'rollback') and requested_by is not null`,
        [subject.pipelineId, revision],
      )
    : { rows: [] };
  return [...found.rows.map((row) => row.subject), ...(requestedBy === null ? [] : [requestedBy])];
}

/** Who made these subjects, as far as they are keys, and who made those. */
export async function makersOf(db: Queryable, subjects: readonly string[]): Promise<Makers> {
  const found = await db.query<{ subject: string; maker: string; admin: boolean }>(
    `with recursive made(subject, maker) as (
       select 'key:' || id, created_by from api_keys where 'key:' || id = any ($1)
       union
       select 'key:' || k.id, k.created_by from made join api_keys k on made.maker = 'key:' || k.id)
     select subject, maker, exists (
       select from grants g where g.subject = maker and g.team is null and 'admin' = any (g.roles)) as admin
     from made`,
    [subjects],
  );
  return new Map(found.rows.map(({ subject, maker, admin }) => [subject, { subject: maker, admin }]));
}

/**
 * The votes for a plan that count now: by whoever still has a role from which it takes them, and has not asked for it. With the number of
 * people behind them.
 */
export async function countedVotes(
  db: Queryable,
  operation: Operation,
  { digest, from }: { readonly digest: string; readonly from: readonly ApproverRole[] },
): Promise<{ readonly subjects: ReadonlySet<string>; readonly given: number }> {
  const votes = (await listVotes(db, operation.id)).filter(
    (vote) => vote.digest === digest && vote.verdict === "approve",
  );
  if (votes.length === 0) return { subjects: new Set(), given: 0 };
  const requesters = await requestersOf(db, operation);
  const makers = await makersOf(db, [...votes.map(({ subject }) => subject), ...requesters]);
  const counted: string[] = [];
  for (const { subject, issuer } of votes) {
    const held = await rolesInForce(db, { subject, issuer }, operation.team);
    if (!mayVote(held, from)) continue;
    if (requesters.some((requester) => mayBeSame(subject, requester, makers))) continue;
    counted.push(subject);
  }
  return { subjects: new Set(counted), given: countPeople(counted, makers) };
}

export interface HeldRoles {
  readonly team: ReadonlySet<string>;
  readonly platform: ReadonlySet<string>;
}

/** Whether these roles let somebody vote; an admin's always do. */
export function mayVote({ team, platform }: HeldRoles, from: readonly ApproverRole[]): boolean {
  return platform.has("admin") || from.some((role) => team.has(role));
}

async function rolesInForce(
  db: Queryable,
  { subject, issuer }: Pick<Vote, "subject" | "issuer">,
  team: string,
): Promise<HeldRoles> {
  const found = await db.query<{ team: string | null; roles: string[] }>(
    `select team, roles from grants g
     where subject = $1 and issuer is not distinct from $2 and (team = $3 or team is null)
       and (issuer is not null or exists (
         select from api_keys k where g.subject = 'key:' || k.id and k.revoked_at is null and k.expires_at > now()))`,
    [subject, issuer, team],
  );
  const { platform, teams } = rolesOf(found.rows);
  return { platform, team: teams.get(team) ?? new Set() };
}

/** Numbers of a pipeline's revisions, of a deleted one too. */
export async function revisionsOf(
  db: Queryable,
  pipelineId: string,
): Promise<{ readonly applied: number | null; readonly desired: number }> {
  const found = await db.query<{ applied: number | null; desired: number }>(
    "select applied_revision as applied, desired_revision as desired from pipelines where id = $1",
    [pipelineId],
  );
  const row = found.rows[0];
  if (row === undefined) throw new Error(`No pipeline ${pipelineId}`);
  return row;
}
