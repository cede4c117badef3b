import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { policyDocument, type Statement } from "../policy-document.ts";
import type { Tags } from "../tags.ts";

export interface ServiceRoleArgs {
  readonly name: string;
  readonly description: string;
  readonly trust: Statement;
  readonly grants: pulumi.Input<readonly Statement[]>;
  readonly permissionsBoundary: string;
  readonly tags: Tags;
}

/** A role for one component, with its one policy inside, so that nothing else can attach to it. */
export class ServiceRole extends pulumi.ComponentResource {
  /** Known once the role exists. */
  readonly arn: pulumi.Output<string>;
  /** Known once the role may do what it is for: what acts through the role at once waits for it. */
  readonly readyArn: pulumi.Output<string>;

  constructor(name: string, args: ServiceRoleArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:ServiceRole", name, {}, opts);
    const role = new aws.iam.Role(
      name,
      {
        name: args.name,
        path: "/aidlc/",
        description: args.description,
        assumeRolePolicy: policyDocument([args.trust]),
        permissionsBoundary: args.permissionsBoundary,
        maxSessionDuration: 3600,
        // What an incident attached must not stand in the way of a teardown.
        forceDetachPolicies: true,
        tags: args.tags,
      },
      { parent: this },
    );
    const policy = new aws.iam.RolePolicy(
      `${name}-policy`,
      { role: role.name, name: "component", policy: pulumi.output(args.grants).apply(policyDocument) },
      { parent: this },
    );
    this.arn = role.arn;
    this.readyArn = pulumi.all([role.arn, policy.id]).apply(([arn]) => arn);
    this.registerOutputs({ arn: role.arn });
  }
}
