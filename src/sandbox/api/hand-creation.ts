import type pg from "pg";
import { invalid } from "../../http/validation.ts";
import { AwsError } from "../aws-error.ts";
import { checkInputs } from "../check.ts";
import { parseConfiguration } from "../configuration.ts";
import { Lifecycle } from "../lifecycle.ts";
import { nameInput, type ResourceType, type Schema } from "../schema.ts";
import type { PropertyMap } from "../values.ts";
import { pointer } from "./hand-change.ts";

export interface HandCreation {
  readonly type: string;
  readonly name?: string;
  readonly inputs: PropertyMap;
  readonly region: string;
  readonly account: string;
}

const noFaults = { strike: async () => {}, delayAnswer: async () => {} };

/**
 * Creates a resource that no stack owns and gives the sandbox's id of it. Throws `invalid_request` with every property that AWS
 * would refuse, or with what AWS says against its creation.
 */
export async function createByHand(pool: pg.Pool, schema: Schema, wanted: HandCreation): Promise<string> {
  const type = schema.resource(wanted.type);
  if (!type) throw refused("/type", `"${wanted.type}" is not known: GET /sandbox/v1/types lists what is`);
  const inputs = namedInputs(type, wanted);
  const naming = { logicalName: wanted.name ?? "existing", olds: {}, seed: new Uint8Array() };
  const checked = checkInputs(schema, type, inputs, naming);
  if (checked.failures.length > 0) {
    throw invalid(
      "invalid_request",
      checked.failures.map(({ path, message }) => ({ path: `/inputs${pointer(path)}`, message })),
    );
  }
  const { region, account } = wanted;
  const configuration = parseConfiguration({ region, allowedAccountIds: [account] });
  try {
    const created = await new Lifecycle(pool, schema, noFaults).create(
      type,
      { values: checked.inputs, secrets: [] },
      configuration,
    );
    return await idOf(pool, type, created.id, wanted);
  } catch (error) {
    if (error instanceof AwsError) throw refused("/inputs", error.message);
    throw error;
  }
}

function namedInputs(type: ResourceType, { name, inputs }: HandCreation): PropertyMap {
  if (name === undefined) return inputs;
  const property = nameInput(type);
  if (property === undefined) throw refused("/name", `${type.token} has no name: leave it out`);
  return { ...inputs, [property]: name };
}

function refused(path: string, message: string): Error {
  return invalid("invalid_request", [{ path, message }]);
}

async function idOf(
  pool: pg.Pool,
  type: ResourceType,
  awsId: string,
  { account }: HandCreation,
): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(
    "select id from sandbox.resources where type = $1 and account = $2 and aws_id = $3 order by updated_at desc limit 1",
    [type.token, account, awsId],
  );
  const [row] = rows;
  if (!row) throw refused("/type", `${type.token} was deleted at the same time: try again`);
  return row.id;
}
