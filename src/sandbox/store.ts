import { randomUUID } from "node:crypto";
import type pg from "pg";
import { Gathered } from "../postgres/gathered.ts";
import { AwsError } from "./aws-error.ts";
import { patient } from "./patience.ts";
import type { Path, PropertyMap } from "./values.ts";

/** A resource as the sandbox keeps it. */
export interface StoredResource {
  readonly id: string;
  readonly number: number;
  readonly type: string;
  readonly account: string;
  readonly region: string;
  readonly identity: string;
  readonly aws_id: string;
  readonly arn: string | null;
  readonly name: string | null;
  readonly inputs: PropertyMap;
  readonly outputs: PropertyMap;
  readonly secrets: readonly Path[];
  readonly contents: number;
  readonly deletion_due_at: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface NewRow {
  readonly type: string;
  readonly account: string;
  readonly region: string;
  readonly identity: string;
  readonly awsId: string;
  readonly arn: string | undefined;
  readonly name: string | undefined;
  readonly parent: string | undefined;
  readonly inputs: PropertyMap;
  readonly outputs: PropertyMap;
  readonly secrets: readonly Path[];
}

/** A value that must name an existing resource of one of these types. */
export interface Reference {
  readonly property: string;
  readonly value: string;
  readonly types: readonly string[];
  /** An id or a name counts in this region only, unless its type is among those that are the same everywhere. */
  readonly region: string;
  readonly anywhere: readonly string[];
}

export type CreateOutcome =
  | { readonly state: "created" }
  | { readonly state: "dangling"; readonly reference: Reference }
  | { readonly state: "taken"; readonly byAccount: string; readonly isScheduledForDeletion: boolean };

const missingReferences = `
  missing as (
    select r.position
    from unnest($1::int[], $2::text[], $3::text[], $5::text[]) as r (position, type, value, region)
    group by r.position
    having not bool_or(exists (
      select 1 from sandbox.resources x
      where x.type = r.type and x.deletion_due_at is null
        and (x.aws_id = r.value or x.arn = r.value or x.name = r.value)
        and (x.account = $4 or x.type = 'aws:s3/bucket:Bucket')
        and (r.region is null or x.region = r.region)
    ) or (r.type like 'aws:ec2/%' and exists (
      -- What a VPC brings with it is no resource of its own, nor is the root of an API's paths.
      select 1 from sandbox.resources v
      where v.type = 'aws:ec2/vpc:Vpc' and v.account = $4 and r.value in
        (v.outputs->>'defaultSecurityGroupId', v.outputs->>'mainRouteTableId', v.outputs->>'defaultRouteTableId')
    )) or (r.type = 'aws:apigateway/resource:Resource' and exists (
      select 1 from sandbox.resources a
      where a.type = 'aws:apigateway/restApi:RestApi' and a.account = $4 and a.outputs->>'rootResourceId' = r.value
    )))
  )`;

const insert = `
  insert into sandbox.resources
    (id, type, account, region, identity, aws_id, arn, name, parent, inputs, outputs, secrets)
  select $16, $6, $4, $7, $8, $9, $10, $11, $12, $13, $14, $15
  where not exists (select from missing)`;

const overwrite = `
  on conflict (identity) do update set
    aws_id = excluded.aws_id, arn = excluded.arn, name = excluded.name, inputs = excluded.inputs,
    outputs = excluded.outputs, secrets = excluded.secrets, updated_at = now()`;

function createStatement(onConflict: string): string {
  return `with ${missingReferences}, inserted as (${insert} ${onConflict} returning 1)
    select (select min(position) from missing) as missing, exists (select from inserted) as created`;
}

const createOnce = { name: "sandbox-create", text: createStatement("on conflict (identity) do nothing") };
const createOrOverwrite = { name: "sandbox-create-or-overwrite", text: createStatement(overwrite) };

/** The sandbox's memory. Every operation of a provider is one round trip, or a part of one, as long as nothing goes wrong. */
export class ResourceStore {
  readonly #pool: pg.Pool | pg.PoolClient;
  readonly #byIdentity: Gathered<StoredResource>;

  constructor(pool: pg.Pool | pg.PoolClient) {
    this.#pool = pool;
    // A refresh asks for all that a stack has, as fast as it is answered.
    this.#byIdentity = new Gathered((identities) => this.#findAllByIdentity(identities));
  }

  /** Creates the resource if everything it refers to exists and nothing has its identity, all in one statement. */
  async create(row: NewRow, references: readonly Reference[], overwrites: boolean): Promise<CreateOutcome> {
    const id = randomUUID();
    const { rows } = await patient(() =>
      this.#pool.query<{ missing: number | null; created: boolean }>({
        ...(overwrites ? createOrOverwrite : createOnce),
        values: [
          ...candidates(references, row.account),
          row.type,
          row.region,
          row.identity,
          row.awsId,
          row.arn ?? null,
          row.name ?? null,
          row.parent ?? null,
          JSON.stringify(row.inputs),
          JSON.stringify(row.outputs),
          JSON.stringify(row.secrets),
          id,
        ],
      }),
    );
    const [outcome] = rows;
    if (outcome?.created) return { state: "created" };
    const dangling = outcome?.missing == null ? undefined : references[outcome.missing];
    if (dangling) return { state: "dangling", reference: dangling };
    const holder = await patient(() => this.findByIdentity(row.identity));
    // An attempt before this one had got through, and only its answer was lost.
    if (holder?.id === id) return { state: "created" };
    // Whoever held the identity may be gone by now; the caller's retry will find it free.
    return {
      state: "taken",
      byAccount: holder?.account ?? row.account,
      isScheduledForDeletion: holder?.deletion_due_at != null,
    };
  }

  /** The first of the references that names nothing. */
  async findDangling(account: string, references: readonly Reference[]): Promise<Reference | undefined> {
    if (references.length === 0) return undefined;
    const { rows } = await this.#pool.query<{ missing: number | null }>({
      name: "sandbox-find-dangling",
      text: `with ${missingReferences} select min(position) as missing from missing`,
      values: candidates(references, account),
    });
    const position = rows[0]?.missing;
    return position == null ? undefined : references[position];
  }

  findByIdentity(identity: string): Promise<StoredResource | undefined> {
    return this.#byIdentity.find(identity);
  }

  async #findAllByIdentity(identities: readonly string[]): Promise<ReadonlyMap<string, StoredResource>> {
    const { rows } = await this.#pool.query<StoredResource>({
      name: "sandbox-find-by-identity",
      text: "select * from sandbox.resources where identity = any($1)",
      values: [identities],
    });
    return new Map(rows.map((row) => [row.identity, row]));
  }

  /** By what a person would type for an import; undefined also when several resources share the id. */
  async findByAwsId(
    type: string,
    account: string,
    region: string,
    awsId: string,
  ): Promise<StoredResource | undefined> {
    const { rows } = await this.#pool.query<StoredResource>({
      name: "sandbox-find-by-aws-id",
      text: `select * from sandbox.resources
        where type = $1 and account = $2 and region = $3 and (aws_id = $4 or arn = $4) and deletion_due_at is null`,
      values: [type, account, region, awsId],
    });
    return rows.length === 1 ? rows[0] : undefined;
  }

  /** Whatever region it was created through: roles and other types that belong to the whole account. */
  async findAnywhere(type: string, account: string, awsIdOrArn: string): Promise<StoredResource | undefined> {
    const { rows } = await this.#pool.query<StoredResource>({
      name: "sandbox-find-anywhere",
      text: `select * from sandbox.resources
        where type = $1 and account = $2 and (aws_id = $3 or arn = $3) and deletion_due_at is null limit 1`,
      values: [type, account, awsIdOrArn],
    });
    return rows[0];
  }

  /** By a property of the outputs. Null stands for any account: bucket names are shared by all. */
  async listByProperty(
    type: string,
    account: string | null,
    property: string,
    value: string,
  ): Promise<StoredResource[]> {
    const { rows } = await this.#pool.query<StoredResource>({
      name: "sandbox-list-by-property",
      text: `select * from sandbox.resources
        where type = $1 and ($2::text is null or account = $2) and outputs->>$3 = $4 and deletion_due_at is null`,
      values: [type, account, property, value],
    });
    return rows;
  }

  async list(type: string, account: string, region: string): Promise<StoredResource[]> {
    const { rows } = await this.#pool.query<StoredResource>({
      name: "sandbox-list",
      text: `select * from sandbox.resources
        where type = $1 and account = $2 and region = $3 and deletion_due_at is null order by number`,
      values: [type, account, region],
    });
    return rows;
  }

  async hasAny(type: string, account: string, region: string): Promise<boolean> {
    return (await this.count(type, account, region)) > 0;
  }

  async count(type: string, account: string, region: string): Promise<number> {
    const { rows } = await this.#pool.query<{ count: number }>({
      name: "sandbox-count",
      text: `select count(*)::int as count from sandbox.resources
        where type = $1 and account = $2 and region = $3 and deletion_due_at is null`,
      values: [type, account, region],
    });
    return rows[0]?.count ?? 0;
  }

  async update(
    identity: string,
    next: {
      identity: string;
      name: string | undefined;
      inputs: PropertyMap;
      outputs: PropertyMap;
      secrets: readonly Path[];
    },
  ): Promise<"updated" | "gone" | "taken"> {
    try {
      const { rowCount } = await this.#pool.query({
        name: "sandbox-update",
        text: `update sandbox.resources
          set identity = $2, name = $3, inputs = $4, outputs = $5, secrets = $6, updated_at = now()
          where identity in ($1, $2) and deletion_due_at is null`,
        values: [
          identity,
          next.identity,
          next.name ?? null,
          JSON.stringify(next.inputs),
          JSON.stringify(next.outputs),
          JSON.stringify(next.secrets),
        ],
      });
      return rowCount === 1 ? "updated" : "gone";
    } catch (error) {
      if (isUniqueViolation(error)) return "taken";
      throw error;
    }
  }

  /** Deletes the resource and what is a part of it. Idempotent. Another that took its place since, with an id of its own, stays. */
  async delete(identity: string, awsId: string, asParent: readonly string[]): Promise<void> {
    await this.#pool.query({
      name: "sandbox-delete",
      text: "delete from sandbox.resources where (identity = $1 and aws_id = $2) or parent = any($3)",
      values: [identity, awsId, asParent],
    });
  }

  /** A key or secret stays for its waiting period; meanwhile programs see it as gone. Aliases of a key go at once. */
  async scheduleDeletion(
    identity: string,
    awsId: string,
    asParent: readonly string[],
    days: number,
  ): Promise<void> {
    await this.#pool.query({
      name: "sandbox-schedule-deletion",
      text: `with parts as (delete from sandbox.resources where parent = any($3))
        update sandbox.resources set deletion_due_at = now() + make_interval(days => $4), updated_at = now()
        where identity = $1 and aws_id = $2 and deletion_due_at is null`,
      values: [identity, awsId, asParent, days],
    });
  }

  async nextRevision(subject: string): Promise<number> {
    const { rows } = await this.#pool.query<{ latest: number }>({
      name: "sandbox-next-revision",
      text: `insert into sandbox.revisions (subject, latest) values ($1, 1)
        on conflict (subject) do update set latest = sandbox.revisions.latest + 1 returning latest`,
      values: [subject],
    });
    return rows[0]?.latest ?? 1;
  }
}

/** Every type that each of the references could mean, as the parameters of `missingReferences`. */
function candidates(references: readonly Reference[], account: string): unknown[] {
  const pairs = references.flatMap(({ types, value, region, anywhere }, position) =>
    types.map((type) => ({ position, type, value, region: anywhere.includes(type) ? null : region })),
  );
  return [
    pairs.map(({ position }) => position),
    pairs.map(({ type }) => type),
    pairs.map(({ value }) => value),
    account,
    pairs.map(({ region }) => region),
  ];
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "23505";
}

/** The database can't be reached or refuses: to an engine that is AWS failing, without our details. */
export function serviceUnavailable(): AwsError {
  return new AwsError(
    "ServiceUnavailableException",
    "The sandbox can't reach its database: start the service and try again",
  );
}
