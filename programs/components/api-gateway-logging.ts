import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { AccountSetting } from "../phases/account-setting.ts";
import { assumedBy, policyDocument } from "../policy-document.ts";
import type { Tags } from "../tags.ts";

/**
 * The role by which API Gateway writes the logs of every API of the account and region. API Gateway refuses a role that may
 * do less than AWS's own policy for it; the policy is the boundary as well, so the role can't come to do more.
 */
export class ApiGatewayLogging extends pulumi.ComponentResource {
  constructor(
    name: string,
    { arns, names, dataOnDestroy, tags }: AccountSetting & { readonly tags: Tags },
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("aidlc:component:ApiGatewayLogging", name, {}, opts);
    const policyArn = `arn:${arns.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs`;
    // APIs that stay behind would lose their logs with the role.
    const keep = { parent: this, retainOnDelete: dataOnDestroy === "retain" };
    const role = new aws.iam.Role(
      `${name}-role`,
      {
        name: names.apiGatewayRole,
        path: "/aidlc/",
        description: "Lets API Gateway write the logs of the account's APIs in this region",
        // API Gateway sends no source keys when it assumes a role, and is refused by a trust that asks for them (seen in
        // aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws#479). Only this account can
        // set the role, for itself.
        assumeRolePolicy: policyDocument([assumedBy("apigateway.amazonaws.com")]),
        permissionsBoundary: policyArn,
        tags,
      },
      keep,
    );
    const attached = new aws.iam.RolePolicyAttachment(`${name}-policy`, { role: role.name, policyArn }, keep);
    new aws.apigateway.Account(
      name,
      // API Gateway tries the role at once.
      { cloudwatchRoleArn: pulumi.all([role.arn, attached.id]).apply(([arn]) => arn) },
      keep,
    );
    this.registerOutputs({});
  }
}
