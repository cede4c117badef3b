import { endTeamAccess } from "../access/grant-store.ts";
import { AppError } from "../errors.ts";
import type { Queryable } from "../postgres/pool.ts";

export interface Team {
  readonly name: string;
  readonly displayName: string;
  /** What the trust policies of the team's roles ask for: see `TeamAccount`. */
  readonly externalId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface TeamRow {
  name: string;
  display_name: string;
  external_id: string;
  created_at: Date;
  updated_at: Date;
}

const columns = "name, display_name, external_id, created_at, updated_at";

function fromRow(row: TeamRow): Team {
  return {
    name: row.name,
    displayName: row.display_name,
    externalId: row.external_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export async function insertTeam(db: Queryable, name: string, displayName: string): Promise<Team> {
  const inserted = await db.query<TeamRow>(
    `insert into teams as team (name, display_name) values ($1, $2)
     -- Another external id: whoever has the name now is not who had it when roles began to trust the old one.
     on conflict (name) do update set display_name = excluded.display_name, external_id = default, created_at = now(),
       updated_at = now(), deleted_at = null where team.deleted_at is not null
     returning ${columns}`,
    [name, displayName],
  );
  const row = inserted.rows[0];
  if (!row)
    throw new AppError("team_exists", `There is a team "${name}" already: choose another name, or PATCH it`);
  return fromRow(row);
}

/** Throws `team_not_found`. */
export async function getTeam(db: Queryable, name: string): Promise<Team> {
  const found = await db.query<TeamRow>(
    `select ${columns} from teams where name = $1 and deleted_at is null`,
    [name],
  );
  const row = found.rows[0];
  if (!row) throw teamNotFound(name);
  return fromRow(row);
}

/** Keeps a team from being deleted until the transaction has ended; throws `team_not_found`. */
export async function holdTeam(db: Queryable, name: string): Promise<void> {
  const held = await db.query("select from teams where name = $1 and deleted_at is null for share", [name]);
  if (held.rowCount === 0) throw teamNotFound(name);
}

/** Keeps a team as it is until the transaction has ended; throws `team_not_found`. */
export async function lockTeam(db: Queryable, name: string): Promise<Team> {
  const found = await db.query<TeamRow>(
    `select ${columns} from teams where name = $1 and deleted_at is null for update`,
    [name],
  );
  const row = found.rows[0];
  if (!row) throw teamNotFound(name);
  return fromRow(row);
}

/** By name, those after `after`; of all teams, or only of those in `visible`. */
export async function listTeams(
  db: Queryable,
  visible: readonly string[] | undefined,
  after: string | undefined,
  limit: number,
): Promise<Team[]> {
  const found = await db.query<TeamRow>(
    `select ${columns} from teams where deleted_at is null and ($1::text[] is null or name = any ($1))
       and ($2::text is null or name > $2) order by name limit $3`,
    [visible ?? null, after ?? null, limit + 1],
  );
  return found.rows.map(fromRow);
}

/** Throws `team_not_found`. */
export async function renameTeam(db: Queryable, name: string, displayName: string): Promise<Team> {
  const updated = await db.query<TeamRow>(
    `update teams set display_name = $2, updated_at = now() where name = $1 and deleted_at is null returning ${columns}`,
    [name, displayName],
  );
  const row = updated.rows[0];
  if (!row) throw teamNotFound(name);
  return fromRow(row);
}

/** Removes a team that has nothing left and gives what it was; throws `team_not_found` or `team_in_use`. */
export async function deleteTeam(db: Queryable, name: string): Promise<Team> {
  // Whoever adds an account or a pipeline holds the team: this waits for them and makes later ones wait.
  const team = await lockTeam(db, name);
  const use = await db.query<{ what: string }>(
    `select 'account ' || name as what from accounts where team = $1
     union all select 'pipeline ' || name from pipelines where team = $1 and deleted_at is null limit 5`,
    [name],
  );
  if (use.rows.length > 0) {
    const what = use.rows.map((row) => row.what).join(", ");
    throw new AppError("team_in_use", `Team "${name}" still has ${what}: delete these first`);
  }
  await endTeamAccess(db, name);
  // Whoever makes a team anew under the name begins with the service's limits.
  await db.query("delete from team_quotas where team = $1", [name]);
  // But the very request that deletes it is not over.
  await db.query("delete from idempotent_requests where team = $1 and changed_at is not null", [name]);
  await db.query("delete from webhooks where team = $1", [name]);
  await db.query("update teams set deleted_at = now() where name = $1", [name]);
  return team;
}

/** What is answered for a team that isn't there, and with `denied` for one that the caller may not see. */
export function teamNotFound(name: string, options?: { readonly denied: boolean }): AppError {
  return new AppError("team_not_found", `There is no team "${name}": see GET /v1/teams`, options);
}
