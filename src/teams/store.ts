import { AppError } from "../errors.ts";
import type { Queryable } from "../postgres/pool.ts";

export interface Team {
  readonly name: string;
  readonly displayName: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface TeamRow {
  name: string;
  display_name: string;
  created_at: Date;
  updated_at: Date;
}

const columns = "name, display_name, created_at, updated_at";

function fromRow(row: TeamRow): Team {
  return {
    name: row.name,
    displayName: row.display_name,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export async function insertTeam(db: Queryable, name: string, displayName: string): Promise<Team> {
  const inserted = await db.query<TeamRow>(
    `insert into teams as team (name, display_name) values ($1, $2)
     on conflict (name) do update set display_name = excluded.display_name, created_at = now(), updated_at = now(),
       deleted_at = null where team.deleted_at is not null
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

export async function listTeams(db: Queryable, after: string | undefined, limit: number): Promise<Team[]> {
  const found = await db.query<TeamRow>(
    `select ${columns} from teams where deleted_at is null and ($1::text is null or name > $1) order by name limit $2`,
    [after ?? null, limit + 1],
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

/** Removes a team that has nothing left; throws `team_not_found` or `team_in_use`. */
export async function deleteTeam(db: Queryable, name: string): Promise<void> {
  // Whoever adds an account or a pipeline holds the team: this waits for them and makes later ones wait.
  await db.query("select from teams where name = $1 for update", [name]);
  const use = await db.query<{ what: string }>(
    `select 'account ' || name as what from accounts where team = $1
     union all select 'pipeline ' || name from pipelines where team = $1 and deleted_at is null limit 5`,
    [name],
  );
  if (use.rows.length > 0) {
    const what = use.rows.map((row) => row.what).join(", ");
    throw new AppError("team_in_use", `Team "${name}" still has ${what}: delete these first`);
  }
  const deleted = await db.query(
    "update teams set deleted_at = now() where name = $1 and deleted_at is null",
    [name],
  );
  if (deleted.rowCount === 0) throw teamNotFound(name);
}

function teamNotFound(name: string): AppError {
  return new AppError("team_not_found", `There is no team "${name}": create it with POST /v1/teams`);
}
