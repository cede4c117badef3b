import { AppError } from "../errors.ts";
import type { Queryable } from "../postgres/pool.ts";
import type { Grant } from "./grants.ts";
import type { Role } from "./principal.ts";

export interface Member {
  readonly subject: string;
  /** The name of a key; null for people, of whom nothing but the subject is kept. */
  readonly label: string | null;
  readonly roles: readonly Role[];
  readonly grantedBy: string;
  readonly grantedAt: Date;
}

/** What was granted to a subject of an issuer. */
export async function grantsOfUser(db: Queryable, issuer: string, subject: string): Promise<Grant[]> {
  const found = await db.query<Grant>({
    name: "grants-of-user",
    text: "select team, roles from grants where issuer = $1 and subject = $2",
    values: [issuer, subject],
  });
  return found.rows;
}

/**
 * Makes changes of a team's grants, or the platform's, wait for each other until the transaction has ended: who may change a
 * grant depends on what it was, and whether an admin may go on who else is one.
 */
export async function lockGrants(db: Queryable, team: string | null): Promise<void> {
  await db.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [
    team === null ? "platform grants" : `grants of team ${team}`,
  ]);
}

// Grants to keys that are over and to subjects of another issuer are not in force.
const inForce = `(g.issuer = $1 or exists (
  select from api_keys k where g.subject = 'key:' || k.id and k.revoked_at is null and k.expires_at > now()))`;

const columns = `g.subject, (select name from api_keys k where g.subject = 'key:' || k.id) as label, g.roles,
  g.granted_by as "grantedBy", g.granted_at as "grantedAt"`;

export interface MemberFilter {
  /** The issuer whose subjects may be members; undefined: there is none. */
  readonly issuer: string | undefined;
  /** Null: members of the platform. */
  readonly team: string | null;
}

/** Who has roles that are in force, by subject; one row more than `limit` when there is a further page. */
export async function listMembers(
  db: Queryable,
  { issuer, team }: MemberFilter,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<Member[]> {
  const found = await db.query<Member>(
    `select ${columns} from grants g
     where ${inForce} and g.team is not distinct from $2 and ($3::text is null or g.subject > $3)
     order by g.subject limit $4`,
    [issuer ?? null, team, after ?? null, limit + 1],
  );
  return found.rows;
}

export async function findMember(
  db: Queryable,
  { issuer, team }: MemberFilter,
  subject: string,
): Promise<Member | undefined> {
  const found = await db.query<Member>(
    `select ${columns} from grants g where ${inForce} and g.team is not distinct from $2 and g.subject = $3`,
    [issuer ?? null, team, subject],
  );
  return found.rows[0];
}

/** Grants a subject of the issuer these roles instead of those it had, and gives what it is then. */
export async function putMember(
  db: Queryable,
  { issuer, team }: { readonly issuer: string; readonly team: string | null },
  { subject, roles, grantedBy }: Pick<Member, "subject" | "roles" | "grantedBy">,
): Promise<Member> {
  const put = await db.query<Member>(
    `insert into grants as g (subject, issuer, team, roles, granted_by) values ($1, $2, $3, $4, $5)
     on conflict (subject, issuer, team)
       do update set roles = excluded.roles, granted_by = excluded.granted_by, granted_at = now()
     returning ${columns}`,
    [subject, issuer, team, roles, grantedBy],
  );
  return put.rows[0] as Member;
}

export async function deleteMember(
  db: Queryable,
  { issuer, team }: { readonly issuer: string; readonly team: string | null },
  subject: string,
): Promise<void> {
  await db.query("delete from grants where subject = $1 and issuer = $2 and team is not distinct from $3", [
    subject,
    issuer,
    team,
  ]);
}

/** How many subjects are admins at this moment. */
export async function countAdministrators(db: Queryable, issuer: string | undefined): Promise<number> {
  const found = await db.query<{ count: number }>(
    `select count(*) from grants g where ${inForce} and g.team is null and 'admin' = any (g.roles)`,
    [issuer ?? null],
  );
  return found.rows[0]?.count ?? 0;
}

/** Throws `last_administrator` when nobody is an admin any more, for the transaction that made it so. */
export async function assertAdministratorLeft(db: Queryable, issuer: string | undefined): Promise<void> {
  if ((await countAdministrators(db, issuer)) > 0) return;
  throw new AppError(
    "last_administrator",
    "Nobody would be left to administer the service: make another admin before",
  );
}

/**
 * Removes everything that was granted for a team, and its keys: their names may be given again, and nothing of the old team may
 * come back to life with a new one.
 */
export async function endTeamAccess(db: Queryable, team: string): Promise<void> {
  await db.query("delete from grants where team = $1", [team]);
  await db.query("delete from api_keys where team = $1", [team]);
}
