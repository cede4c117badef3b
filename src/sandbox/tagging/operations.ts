import { AwsError } from "../aws-error.ts";
import type { AwsInput, AwsOperation } from "../aws-json-routes.ts";
import type { PropertyMap } from "../values.ts";

const largestPage = 100;
const defaultPage = 50;

interface TagFilter {
  readonly key: string;
  /** Empty: any value. */
  readonly values: readonly string[];
}

interface Row {
  readonly number: number;
  readonly arn: string;
  readonly tags: PropertyMap;
}

/** What bears tags, by the tags that it bears. */
export const operations: Readonly<Record<string, AwsOperation>> = {
  GetResources: async ({ pool, caller }, input) => {
    const limit = pageSize(input);
    const filters = tagFilters(input);
    // Roles and policies have tags, but AWS doesn't list them here.
    const { rows } = await pool.query<Row>({
      name: "sandbox-tagging-list",
      text: `select number, arn, outputs->'tagsAll' as tags from sandbox.resources
        where arn is not null and jsonb_typeof(outputs->'tagsAll') = 'object' and outputs->'tagsAll' <> '{}'
          and type not like 'aws:iam/%' and ($1::text is null or account = $1) and ($2::text is null or region = $2)
          and number > $3 and deletion_due_at is null
          and not exists (
            select from jsonb_to_recordset($4::jsonb) as f (key text, values jsonb)
            where not (outputs->'tagsAll' ? f.key)
              or (f.values <> '[]' and not f.values @> jsonb_build_array(outputs->'tagsAll'->>f.key)))
        order by number limit $5`,
      values: [caller.account, caller.region, tokenOf(input), JSON.stringify(filters), limit + 1],
    });
    const page = rows.slice(0, limit);
    return {
      ResourceTagMappingList: page.map(({ arn, tags }) => ({
        ResourceARN: arn,
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value: String(Value) })),
      })),
      PaginationToken: rows.length > limit ? String(page.at(-1)?.number) : "",
    };
  },
};

function tagFilters({ TagFilters = [] }: AwsInput): TagFilter[] {
  if (!Array.isArray(TagFilters) || TagFilters.length > 50)
    throw invalid("TagFilters must be a list of up to 50");
  return TagFilters.map((filter: { Key?: unknown; Values?: unknown } | null) => {
    const values = filter?.Values ?? [];
    if (typeof filter?.Key !== "string" || filter.Key === "")
      throw invalid("Each of TagFilters must have a Key");
    if (!Array.isArray(values) || values.length > 20 || values.some((value) => typeof value !== "string"))
      throw invalid(`Values of ${filter.Key} must be a list of up to 20 texts`);
    return { key: filter.Key, values };
  });
}

function pageSize({ ResourcesPerPage = defaultPage }: AwsInput): number {
  const isWhole = Number.isInteger(ResourcesPerPage);
  if (isWhole && Number(ResourcesPerPage) >= 1 && Number(ResourcesPerPage) <= largestPage)
    return Number(ResourcesPerPage);
  throw invalid(`ResourcesPerPage must be between 1 and ${largestPage}, not ${String(ResourcesPerPage)}`);
}

function tokenOf({ PaginationToken }: AwsInput): number {
  if (PaginationToken === undefined || PaginationToken === null || PaginationToken === "") return 0;
  if (typeof PaginationToken === "string" && /^\d{1,18}$/.test(PaginationToken))
    return Number(PaginationToken);
  throw new AwsError(
    "PaginationTokenExpiredException",
    "PaginationToken is not one of this list: leave it out to begin anew",
  );
}

function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterException", message);
}
