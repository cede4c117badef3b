import { AppError } from "../errors.ts";
import type { Queryable } from "../postgres/pool.ts";

/** What can't be had back once it is deleted, and what it is called in the singular and the plural. */
export const dataHolders = {
  "aws:s3/bucket:Bucket": ["bucket", "buckets"],
  "aws:ecr/repository:Repository": ["image repository", "image repositories"],
  "aws:kms/key:Key": ["key", "keys"],
  "aws:kms/replicaKey:ReplicaKey": ["replica key", "replica keys"],
  "aws:sagemaker/modelPackageGroup:ModelPackageGroup": [
    "model group with its versions",
    "model groups with their versions",
  ],
  "aws:sagemaker/featureGroup:FeatureGroup": ["feature group", "feature groups"],
  "aws:secretsmanager/secret:Secret": ["secret", "secrets"],
  "aws:backup/vault:Vault": [
    "backup vault with its recovery points",
    "backup vaults with their recovery points",
  ],
  "aws:cloudwatch/logGroup:LogGroup": ["log group", "log groups"],
} as const satisfies Readonly<Record<string, readonly [one: string, many: string]>>;

/** A resource that holds data. */
export interface Loss {
  readonly type: string;
  readonly name: string;
  /** Its id on AWS. */
  readonly id?: string;
}

/** What of a stack, as it was last recorded, goes with its data. */
export async function lossesOf(db: Queryable, stackId: string): Promise<Loss[]> {
  const { rows } = await db.query<{ type: string; name: string; aws_id: string | null }>(
    "select type, name, aws_id from resources where stack_id = $1 and type = any ($2) order by position",
    [stackId, Object.keys(dataHolders)],
  );
  return rows.map(({ type, name, aws_id: id }) => ({ type, name, ...(id === null ? {} : { id }) }));
}

/**
 * Throws `confirmation_required`, which names all that would be lost, unless `given` is the pipeline's name as whoever deletes its
 * data has to type it.
 */
export async function confirmLoss(
  db: Queryable,
  { team, name, stackId }: { readonly team: string; readonly name: string; readonly stackId: string },
  given: string | undefined,
): Promise<void> {
  const expected = `${team}/${name}`;
  if (given === expected) return;
  const losses = await lossesOf(db, stackId);
  const said = given === undefined ? "" : `"${given}" does not confirm that. `;
  throw new AppError(
    "confirmation_required",
    `${said}Deleting the data of "${name}" takes ${summary(losses)} for good: repeat it with confirm=${expected}, or with data=retain`,
    { details: { losses } },
  );
}

/** Such as "7 buckets, 1 key". */
export function summary(losses: readonly Loss[]): string {
  const counts = Object.entries(dataHolders).flatMap(([type, [one, many]]) => {
    const count = losses.filter((loss) => loss.type === type).length;
    return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
  });
  return counts.length > 0
    ? counts.join(", ")
    : "whatever was made of it so far, of which nothing is recorded,";
}
