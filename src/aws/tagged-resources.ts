import {
  paginateGetResources,
  ResourceGroupsTaggingAPIClient,
} from "@aws-sdk/client-resource-groups-tagging-api";
import {
  type AccountClients,
  awsClients,
  type ClientConfiguration,
  sandboxClients,
} from "./account-clients.ts";
import { taggingSessionPolicy } from "./session-policies.ts";
import type { TeamAccount } from "./team-account.ts";

export type TaggingClients = AccountClients<ResourceGroupsTaggingAPIClient>;

/** A resource of AWS with the tags that it bears. */
export interface TaggedResource {
  readonly arn: string;
  readonly tags: Readonly<Record<string, string>>;
}

// Recovery and sweeps ask, and can wait for AWS.
const maxAttempts = 5;
const create = (configuration: ClientConfiguration) => new ResourceGroupsTaggingAPIClient(configuration);

/** Clients for AWS itself, which only look. */
export const awsTaggingClients = (): TaggingClients =>
  awsClients(create, { sessionName: "aidlc-tags", policy: taggingSessionPolicy(), maxAttempts });

/** Clients for the sandbox, which the service serves itself at `endpoint()` behind a token of its own. */
export const sandboxTaggingClients = (endpoint: () => string, token: string): TaggingClients =>
  sandboxClients(create, { endpoint, token, maxAttempts });

/**
 * Everything that bears all of `tags` in the account's region, or in `region`; what belongs to no region is listed in us-east-1. AWS
 * lists what was tagged within the last minutes late, and roles, policies and other parts of IAM not at all.
 * https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
 */
export async function listTagged(
  clients: TaggingClients,
  account: TeamAccount,
  tags: Readonly<Record<string, string>>,
  region: string = account.aws.region,
): Promise<TaggedResource[]> {
  const client = clients({ ...account, aws: { ...account.aws, region } });
  const filters = Object.entries(tags).map(([Key, value]) => ({ Key, Values: [value] }));
  const found: TaggedResource[] = [];
  for await (const page of paginateGetResources({ client, pageSize: 100 }, { TagFilters: filters })) {
    for (const { ResourceARN, Tags = [] } of page.ResourceTagMappingList ?? []) {
      if (ResourceARN === undefined) continue;
      const pairs = Tags.map(({ Key = "", Value = "" }) => [Key, Value] as const);
      found.push({ arn: ResourceARN, tags: Object.fromEntries(pairs) });
    }
  }
  return found;
}
