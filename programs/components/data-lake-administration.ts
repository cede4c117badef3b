import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { AwsAccount } from "../inputs.ts";

/**
 * Makes the service's role an administrator of Lake Formation, which is who may grant on a pipeline's tables.
 *
 * The settings are one document for the whole account: a write replaces all of it. So what is there is read first and written
 * back with one administrator more. That includes what new databases grant to `IAM_ALLOWED_PRINCIPALS`: others in the
 * account may live by it, and a pipeline opts its own tables in to Lake Formation instead. Never taken back: a deletion would leave the account
 * without any administrator.
 */
export class DataLakeAdministration extends pulumi.ComponentResource {
  constructor(
    name: string,
    { accountId, roleArn }: AwsAccount & { readonly roleArn: string },
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("aidlc:component:DataLakeAdministration", name, {}, opts);
    const found = aws.lakeformation.getDataLakeSettingsOutput({ catalogId: accountId }, { parent: this });
    new aws.lakeformation.DataLakeSettings(
      name,
      {
        catalogId: accountId,
        admins: found.admins.apply((admins) => [...new Set([...admins, roleArn])].sort()),
        readOnlyAdmins: found.readOnlyAdmins,
        trustedResourceOwners: found.trustedResourceOwners,
        createDatabaseDefaultPermissions: found.createDatabaseDefaultPermissions,
        createTableDefaultPermissions: found.createTableDefaultPermissions,
        allowExternalDataFiltering: found.allowExternalDataFiltering,
        allowFullTableExternalDataAccess: found.allowFullTableExternalDataAccess,
        externalDataFilteringAllowLists: found.externalDataFilteringAllowLists,
        authorizedSessionTagValueLists: found.authorizedSessionTagValueLists,
        parameters: found.parameters.apply(writable),
      },
      { parent: this, retainOnDelete: true },
    );
    this.registerOutputs({});
  }
}

/** AWS answers with SET_CONTEXT too, but takes only the version back. */
function writable({ CROSS_ACCOUNT_VERSION: version }: Readonly<Record<string, string>>) {
  return version === undefined ? {} : { CROSS_ACCOUNT_VERSION: version };
}
