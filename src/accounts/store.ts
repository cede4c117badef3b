import { Value } from "typebox/value";
import { FoundationOutputs } from "../../programs/foundation-outputs.ts";
import type { AwsAccount } from "../../programs/inputs.ts";
import type { TeamAccount } from "../aws/team-account.ts";
import { AppError } from "../errors.ts";
import { toJsonb } from "../postgres/json.ts";
import type { Queryable } from "../postgres/pool.ts";
import { agreeOnSettings } from "./foundations.ts";
import type { FoundationRequest, FoundationSettings } from "./settings.ts";

export const foundationProject = "aidlc-foundation";

/** An AWS account and region that a team may use, with the foundation it shares with whoever else registered them. */
export interface Account extends TeamAccount {
  readonly stackId: string;
  readonly foundationReady: boolean;
  /** Since when the service leaves the foundation alone. */
  readonly releasedAt: Date | null;
  /** What this registration asks of the foundation. */
  readonly request: FoundationRequest;
  /** What all registrations that share the foundation come to. */
  readonly settings: FoundationSettings;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface AccountRow {
  team: string;
  name: string;
  aws_account_id: string;
  region: string;
  role_arn: string | null;
  external_id: string;
  stack_id: string;
  ready: boolean;
  released_at: Date | null;
  foundation: FoundationRequest;
  settings: FoundationSettings;
  created_at: Date;
  updated_at: Date;
}

const selection = `select a.team, a.name, a.aws_account_id, a.region, a.role_arn, t.external_id, f.stack_id, f.ready,
  f.released_at, a.foundation, f.settings, a.created_at, a.updated_at
  from accounts a join foundations f using (aws_account_id, region) join teams t on t.name = a.team`;

function fromRow(row: AccountRow): Account {
  return {
    team: row.team,
    name: row.name,
    aws: {
      accountId: row.aws_account_id,
      region: row.region,
      ...(row.role_arn === null ? {} : { roleArn: row.role_arn }),
    },
    externalId: row.external_id,
    stackId: row.stack_id,
    foundationReady: row.ready,
    releasedAt: row.released_at,
    request: row.foundation,
    settings: row.settings,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export async function findAccount(db: Queryable, team: string, name: string): Promise<Account | undefined> {
  const found = await db.query<AccountRow>(`${selection} where a.team = $1 and a.name = $2`, [team, name]);
  return found.rows[0] && fromRow(found.rows[0]);
}

/** Throws `account_not_found`. */
export async function getAccount(db: Queryable, team: string, name: string): Promise<Account> {
  const account = await findAccount(db, team, name);
  if (account) return account;
  throw new AppError(
    "account_not_found",
    `Team "${team}" has no account "${name}": register it with PUT /v1/teams/${team}/accounts/${name}`,
  );
}

export async function listAccounts(
  db: Queryable,
  team: string,
  after: string | undefined,
  limit: number,
): Promise<Account[]> {
  const found = await db.query<AccountRow>(
    `${selection} where a.team = $1 and ($2::text is null or a.name > $2) order by a.name limit $3`,
    [team, after ?? null, limit + 1],
  );
  return found.rows.map(fromRow);
}

/**
 * Registers an account, or changes its role and what it asks of the foundation. The AWS account and region of a registered one
 * can't be changed, because its pipelines live there. Throws `account_conflict` for that, and for whatever can't be had together
 * with what others ask of the same foundation.
 */
export async function putAccount(
  db: Queryable,
  registration: {
    readonly team: string;
    readonly name: string;
    readonly aws: AwsAccount;
    readonly request: FoundationRequest;
    readonly stackId: string;
  },
): Promise<Account> {
  const { team, name, aws, request, stackId } = registration;
  await db.query(
    `insert into foundations (aws_account_id, region, stack_id) values ($1, $2, $3) on conflict do nothing`,
    [aws.accountId, aws.region, stackId],
  );
  await lockFoundation(db, stackId);
  const written = await db.query(
    `insert into accounts as a (team, name, aws_account_id, region, role_arn, foundation) values ($1, $2, $3, $4, $5, $6)
     on conflict (team, name) do update
       set role_arn = excluded.role_arn, foundation = excluded.foundation, updated_at = now()
       where a.aws_account_id = excluded.aws_account_id and a.region = excluded.region`,
    [team, name, aws.accountId, aws.region, aws.roleArn ?? null, toJsonb(request)],
  );
  if (written.rowCount === 0) {
    throw new AppError(
      "account_conflict",
      `Account "${name}" stands for another AWS account or region: register ${aws.accountId} in ${aws.region} under another name`,
    );
  }
  await agreeOnSettings(db, stackId);
  return getAccount(db, team, name);
}

/** Keeps a foundation as it is until the transaction has ended; others may do the same at the same time. */
export async function shareFoundation(db: Queryable, stackId: string): Promise<void> {
  await db.query("select from foundations where stack_id = $1 for share", [stackId]);
}

/** Makes this the only transaction that decides about a foundation until it has ended. */
export async function lockFoundation(db: Queryable, stackId: string): Promise<void> {
  await db.query("select from foundations where stack_id = $1 for update", [stackId]);
}

/** How many accounts share a foundation: of whichever team, or of these. */
export async function countSharers(
  db: Queryable,
  stackId: string,
  teams?: readonly string[],
): Promise<number> {
  const counted = await db.query<{ count: number }>(
    `select count(*) as count from accounts a join foundations f using (aws_account_id, region)
     where f.stack_id = $1 and ($2::text[] is null or a.team = any ($2))`,
    [stackId, teams ?? null],
  );
  return (counted.rows[0] as { count: number }).count;
}

/** Names of the live pipelines in an account of a team, a few at most. */
export async function pipelinesIn(db: Queryable, team: string, account: string): Promise<string[]> {
  const found = await db.query<{ name: string }>(
    "select name from pipelines where team = $1 and account = $2 and deleted_at is null order by name limit 5",
    [team, account],
  );
  return found.rows.map((row) => row.name);
}

export async function deleteAccount(db: Queryable, team: string, name: string): Promise<void> {
  await db.query("delete from accounts where team = $1 and name = $2", [team, name]);
}

/** What pipelines take from the foundation; throws `foundation_not_ready` until it has been provisioned. */
export async function foundationOutputs(db: Queryable, account: Account): Promise<FoundationOutputs> {
  const found = await db.query<{ outputs: unknown }>("select outputs from stacks where id = $1", [
    account.stackId,
  ]);
  const outputs = found.rows[0]?.outputs;
  if (account.foundationReady && Value.Check(FoundationOutputs, outputs)) return outputs;
  throw new AppError("foundation_not_ready", `The foundation of account "${account.name}" ${lack(account)}`);
}

function lack({ foundationReady, releasedAt }: Account): string {
  // Provisioned, but not with all that pipelines take today.
  if (foundationReady) return "was provisioned by an older version of the service: PUT the account again";
  if (releasedAt !== null) return "was released when its last pipeline went: PUT the account again";
  return "is not provisioned: wait for its operation, or PUT the account again";
}
