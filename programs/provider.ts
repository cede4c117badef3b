import * as aws from "@pulumi/aws";
import type { AwsAccount } from "./inputs.ts";
import type { Tags } from "./tags.ts";

/**
 * The only provider of a stack. Credentials stay out of the state: the provider takes the ambient ones, which are a session of the
 * account's role. A wrong account is refused before anything is read.
 */
export function accountProvider({ accountId, region }: AwsAccount, tags: Tags): aws.Provider {
  return new aws.Provider("aws", { region, allowedAccountIds: [accountId], defaultTags: { tags } });
}
