import type pg from "pg";
import { AwsError } from "../aws-error.ts";
import type { AwsInput, AwsOperation, Caller } from "../aws-json-routes.ts";
import type { StoredResource } from "../store.ts";
import { type CloudFormationType, cloudFormationTypes, propertiesOf } from "./resource-types.ts";

const largestPage = 100;

/** Reads of Cloud Control API, for types of which an account has one or few: discovery asks them. */
export const operations: Readonly<Record<string, AwsOperation>> = {
  ListResources: async ({ pool, caller }, input) => {
    const [name, type] = typeOf(input);
    const limit = pageSize(input);
    const after = tokenOf(input);
    const rows = await list(pool, type, caller, after, limit + 1, wholeOf(type, input));
    const page = rows.slice(0, limit);
    return {
      TypeName: name,
      ResourceDescriptions: page.map((row) => description(type, row)),
      ...(rows.length > limit && { NextToken: String(page.at(-1)?.number) }),
    };
  },
  GetResource: async ({ pool, caller }, input) => {
    const [name, type] = typeOf(input);
    const { Identifier } = input;
    if (typeof Identifier !== "string" || Identifier === "") throw invalid("Identifier must not be empty");
    // Types of which there may be thousands are few in a sandbox; the identifier is no column of theirs.
    const rows = await list(pool, type, caller, 0, null, null);
    const row = rows.find((one) => type.identifier(one) === Identifier);
    if (row) return { TypeName: name, ResourceDescription: description(type, row) };
    throw new AwsError(
      "ResourceNotFoundException",
      `Resource of type '${name}' with identifier '${Identifier}' was not found.`,
    );
  },
};

function description(type: CloudFormationType, row: StoredResource): unknown {
  return { Identifier: type.identifier(row), Properties: propertiesOf(type, row) };
}

function typeOf({ TypeName }: AwsInput): [string, CloudFormationType] {
  if (
    typeof TypeName !== "string" ||
    !/^[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}$/.test(TypeName)
  )
    throw invalid(`TypeName must be like AWS::Logs::LogGroup, not ${JSON.stringify(TypeName)}`);
  const type = cloudFormationTypes[TypeName];
  if (type) return [TypeName, type];
  throw new AwsError(
    "UnsupportedActionException",
    `The sandbox doesn't read the type ${TypeName}; it reads ${Object.keys(cloudFormationTypes).join(", ")}`,
  );
}

function pageSize({ MaxResults = largestPage }: AwsInput): number {
  if (typeof MaxResults === "number" && MaxResults >= 1 && MaxResults <= largestPage) return MaxResults;
  throw invalid(`MaxResults must be between 1 and ${largestPage}, not ${String(MaxResults)}`);
}

function tokenOf({ NextToken }: AwsInput): number {
  if (NextToken === undefined || NextToken === null) return 0;
  if (typeof NextToken === "string" && /^\d{1,18}$/.test(NextToken)) return Number(NextToken);
  throw invalid("NextToken is not one of this list: leave it out to begin anew");
}

/** The id of the whole whose parts are listed; null for types that are no parts. */
function wholeOf({ partOf }: CloudFormationType, { TypeName, ResourceModel }: AwsInput): string | null {
  if (partOf === undefined) return null;
  const model = typeof ResourceModel === "string" ? parsed(ResourceModel) : undefined;
  const whole = model?.[partOf.property];
  if (typeof whole === "string" && whole !== "") return whole;
  throw invalid(`ResourceModel must name ${partOf.property}: ${String(TypeName)} is listed by it`);
}

function parsed(json: string): AwsInput | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function invalid(message: string): AwsError {
  return new AwsError("InvalidRequestException", message);
}

async function list(
  pool: pg.Pool,
  { type, isGlobal, partOf }: CloudFormationType,
  { account, region }: Caller,
  after: number,
  limit: number | null,
  whole: string | null,
): Promise<StoredResource[]> {
  const { rows } = await pool.query<StoredResource>({
    name: "sandbox-cloudcontrol-list",
    text: `select * from sandbox.resources
      where type = $1 and ($2::text is null or account = $2) and ($3::text is null or region = $3)
        and number > $4 and deletion_due_at is null and ($6::text is null or outputs->>$7 = $6)
      order by number limit $5`,
    values: [type, account, isGlobal === true ? null : region, after, limit, whole, partOf?.path ?? null],
  });
  return rows;
}
