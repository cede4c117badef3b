import * as aws from "@pulumi/aws";
import type { AwsAccount } from "./inputs.ts";
import type { Tags } from "./tags.ts";

/**
 * The only provider of a stack. Credentials stay out of the state: the provider takes the ambient ones and assumes the
 * team's role. A wrong account is refused before anything is read.
 */
export function accountProvider(account: AwsAccount, sessionName: string, tags: Tags): aws.Provider {
  const { accountId, region, roleArn, externalId } = account;
  return new aws.Provider("aws", {
    region,
    allowedAccountIds: [accountId],
    defaultTags: { tags },
    ...(roleArn !== undefined && {
      assumeRoles: [
        { roleArn, sessionName: sessionName.slice(0, 64), ...(externalId !== undefined && { externalId }) },
      ],
    }),
  });
}
