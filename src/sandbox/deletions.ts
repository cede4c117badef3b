import type pg from "pg";
import { AwsError } from "./aws-error.ts";
import type { PropertyMap } from "./values.ts";

interface Row {
  readonly identity: string;
  readonly account: string;
  readonly region: string;
  readonly aws_id: string;
  readonly arn: string | null;
  readonly name: string | null;
  readonly outputs: PropertyMap;
  readonly contents: number;
}

/** Why AWS would refuse to delete a resource: something is still in it, or refers to it by one of these properties. */
interface Blocker {
  readonly code: string;
  readonly message: (row: Row) => string;
  /** Type and property of the resources that stand in the way. */
  readonly dependents?: readonly (readonly [type: string, property: string])[];
  readonly byContents?: true;
  readonly byModelPackages?: true;
  /** Whether the resource says of itself that it must not be deleted. */
  readonly when?: (outputs: PropertyMap) => boolean;
  /** With this input set the provider empties the resource itself. */
  readonly unless?: string;
}

const vpcParts: Blocker["dependents"] = [
  ["aws:ec2/subnet:Subnet", "vpcId"],
  ["aws:ec2/internetGateway:InternetGateway", "vpcId"],
  ["aws:ec2/vpcEndpoint:VpcEndpoint", "vpcId"],
  ["aws:ec2/securityGroup:SecurityGroup", "vpcId"],
  ["aws:ec2/routeTable:RouteTable", "vpcId"],
];

const blockers: Readonly<Record<string, Blocker>> = {
  "s3/bucket": {
    code: "BucketNotEmpty",
    message: () => "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
    byContents: true,
    dependents: [
      ["aws:s3/bucketObject:BucketObject", "bucket"],
      ["aws:s3/bucketObjectv2:BucketObjectv2", "bucket"],
    ],
    unless: "forceDestroy",
  },
  "ecr/repository": {
    code: "RepositoryNotEmptyException",
    message: (row) =>
      `The repository with name '${row.name}' in registry with id '${row.account}' cannot be deleted because it still contains images`,
    byContents: true,
    unless: "forceDelete",
  },
  "backup/vault": {
    code: "InvalidRequestException",
    message: () => "Backup vault cannot be deleted because it contains recovery points.",
    byContents: true,
    unless: "forceDestroy",
  },
  "sagemaker/modelPackageGroup": {
    code: "ValidationException",
    message: (row) =>
      `Model Package Group ${row.arn} cannot be deleted because it still contains model packages.`,
    byModelPackages: true,
  },
  "ec2/vpc": {
    code: "DependencyViolation",
    message: (row) => `The vpc '${row.aws_id}' has dependencies and cannot be deleted.`,
    dependents: vpcParts,
  },
  "ec2/subnet": {
    code: "DependencyViolation",
    message: (row) => `The subnet '${row.aws_id}' has dependencies and cannot be deleted.`,
    dependents: [
      ["aws:ec2/natGateway:NatGateway", "subnetId"],
      ["aws:ec2/vpcEndpoint:VpcEndpoint", "subnetIds"],
      ["aws:lb/loadBalancer:LoadBalancer", "subnets"],
      ["aws:lambda/function:Function", "vpcConfig.subnetIds"],
    ],
  },
  "ec2/securityGroup": {
    code: "DependencyViolation",
    message: (row) => `resource ${row.aws_id} has a dependent object`,
    dependents: [
      ["aws:ec2/vpcEndpoint:VpcEndpoint", "securityGroupIds"],
      ["aws:lb/loadBalancer:LoadBalancer", "securityGroups"],
      ["aws:lambda/function:Function", "vpcConfig.securityGroupIds"],
      ["aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "referencedSecurityGroupId"],
      ["aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "referencedSecurityGroupId"],
    ],
  },
  "ec2/eip": {
    code: "InvalidIPAddress.InUse",
    message: (row) =>
      `The address with allocation id [${row.aws_id}] cannot be released because it is in use`,
    dependents: [["aws:ec2/natGateway:NatGateway", "allocationId"]],
  },
  "iam/role": {
    code: "DeleteConflict",
    message: () => "Cannot delete entity, must detach all policies first.",
    dependents: [
      ["aws:iam/rolePolicy:RolePolicy", "role"],
      ["aws:iam/rolePolicyAttachment:RolePolicyAttachment", "role"],
    ],
    unless: "forceDetachPolicies",
  },
  "iam/policy": {
    code: "DeleteConflict",
    message: () => "Cannot delete a policy attached to entities.",
    dependents: [["aws:iam/rolePolicyAttachment:RolePolicyAttachment", "policyArn"]],
  },
  "cloudwatch/eventRule": {
    code: "ValidationException",
    message: () => "Rule can't be deleted since it has targets.",
    dependents: [["aws:cloudwatch/eventTarget:EventTarget", "rule"]],
  },
  "cloudwatch/logGroup": {
    code: "ValidationException",
    message: (row) => `Log group ${row.name} has deletion protection enabled.`,
    when: (outputs) => outputs.deletionProtectionEnabled === true,
  },
  "lb/loadBalancer": {
    code: "OperationNotPermitted",
    message: (row) => `Load balancer '${row.arn}' cannot be deleted because deletion protection is enabled`,
    when: (outputs) => outputs.enableDeletionProtection === true,
  },
  "lb/targetGroup": {
    code: "ResourceInUse",
    message: (row) => `Target group '${row.arn}' is currently in use by a listener or a rule`,
    dependents: [
      ["aws:lb/listener:Listener", "defaultActions.targetGroupArn"],
      ["aws:lb/listenerRule:ListenerRule", "actions.targetGroupArn"],
    ],
  },
  "ecs/cluster": {
    code: "ClusterContainsServicesException",
    message: () => "The Cluster cannot be deleted while Services are active.",
    dependents: [["aws:ecs/service:Service", "cluster"]],
  },
  "backup/plan": {
    code: "InvalidRequestException",
    message: () => "Related backup plan selections must be deleted prior to backup plan deletion",
    dependents: [["aws:backup/selection:Selection", "planId"]],
  },
  "apigateway/deployment": {
    code: "BadRequestException",
    message: () => "Active stages pointing to this deployment must be moved or deleted",
    dependents: [["aws:apigateway/stage:Stage", "deployment"]],
  },
  "apigatewayv2/integration": {
    code: "ConflictException",
    message: (row) => `Cannot delete Integration '${row.aws_id}' due to conflicts with one or more Routes`,
    dependents: [["aws:apigatewayv2/route:Route", "target"]],
  },
  "cloudfront/originAccessControl": {
    code: "OriginAccessControlInUse",
    message: () => "Cannot delete the origin access control because it is in use by a distribution",
    dependents: [["aws:cloudfront/distribution:Distribution", "origins.originAccessControlId"]],
  },
  "lambda/codeSigningConfig": {
    code: "ResourceConflictException",
    message: () => "Code signing configuration is in use by a function",
    dependents: [["aws:lambda/function:Function", "codeSigningConfigArn"]],
  },
  "wafv2/webAcl": {
    code: "WAFAssociatedItemException",
    message: () =>
      "AWS WAF couldn't perform the operation because your resource is being used by another resource.",
    dependents: [["aws:wafv2/webAclAssociation:WebAclAssociation", "webAclArn"]],
  },
  "sagemaker/notebookInstanceLifecycleConfiguration": {
    code: "ValidationException",
    message: (row) => `Lifecycle configuration ${row.name} is in use by a notebook instance`,
    dependents: [["aws:sagemaker/notebookInstance:NotebookInstance", "lifecycleConfigName"]],
  },
};

/** Deleted resources of these types stay for a waiting period; the number of days, 0 for none. */
const waitingDays: Readonly<Record<string, (outputs: PropertyMap) => number>> = {
  "kms/key": (outputs) => Number(outputs.deletionWindowInDays ?? 30),
  "kms/replicaKey": (outputs) => Number(outputs.deletionWindowInDays ?? 30),
  "secretsmanager/secret": (outputs) => Number(outputs.recoveryWindowInDays ?? 30),
};

export function waitingPeriod(token: string, outputs: PropertyMap): number {
  return waitingDays[kindOf(token)]?.(outputs) ?? 0;
}

function kindOf(token: string): string {
  return token.split(":")[1] ?? "";
}

/** Whether anything can stand in the way of deleting such a resource: most types need no look at the database. */
export function canBeBlocked(token: string): boolean {
  return kindOf(token) in blockers;
}

/** Throws AWS's error when the resource can't be deleted yet. */
export async function assertDeletable(pool: pg.Pool, token: string, identity: string): Promise<void> {
  const blocker = blockers[kindOf(token)];
  if (!blocker) return;
  const { rows } = await pool.query<Row>({
    name: "sandbox-find-deletable",
    text: "select * from sandbox.resources where identity = $1",
    values: [identity],
  });
  const [row] = rows;
  if (!row || (blocker.unless !== undefined && row.outputs[blocker.unless] === true)) return;
  if (await isBlocked(pool, blocker, row)) throw new AwsError(blocker.code, blocker.message(row));
}

async function isBlocked(pool: pg.Pool, blocker: Blocker, row: Row): Promise<boolean> {
  if (blocker.when?.(row.outputs)) return true;
  if (blocker.byContents && row.contents > 0) return true;
  if (blocker.byModelPackages && (await hasModelPackages(pool, row))) return true;
  return blocker.dependents !== undefined && (await hasDependents(pool, blocker.dependents, row));
}

async function hasModelPackages(pool: pg.Pool, row: Row): Promise<boolean> {
  const { rows } = await pool.query(
    "select 1 from sandbox.model_packages where account = $1 and region = $2 and group_name = $3 limit 1",
    [row.account, row.region, row.aws_id],
  );
  return rows.length > 0;
}

async function hasDependents(
  pool: pg.Pool,
  dependents: readonly (readonly [string, string])[],
  row: Row,
): Promise<boolean> {
  const references = [row.aws_id, row.arn, row.name].filter((value) => value !== null);
  const { rows } = await pool.query({
    name: "sandbox-has-dependents",
    text: `select 1 from sandbox.resources x
      join unnest($2::text[], $3::text[]) as d (type, property) on x.type = d.type
      where x.account = $1 and x.identity <> $5 and exists (
        select from jsonb_path_query(x.outputs, ('$.' || d.property || '[*]')::jsonpath) as found (value)
        where found.value = any (select to_jsonb(r) from unnest($4::text[]) as r)
      )
      limit 1`,
    values: [
      row.account,
      dependents.map(([type]) => type),
      dependents.map(([, property]) => property),
      references,
      row.identity,
    ],
  });
  return rows.length > 0;
}
