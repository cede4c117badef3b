import type { PropertyMap } from "./values.ts";

export interface Row {
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
export interface Blocker {
  readonly code: string;
  readonly message: (row: Row) => string;
  /** Type and property of the resources that stand in the way. */
  readonly dependents?: readonly (readonly [type: string, property: string])[];
  readonly byContents?: true;
  readonly byModelPackages?: true;
  readonly byExecutions?: true;
  /** Processing jobs that name it here in the configuration of their network. */
  readonly byJobs?: "SecurityGroupIds" | "Subnets";
  /** What runs on it: a type of its region and the property that says so. */
  readonly running?: readonly [type: string, property: string];
  /** Another resource whose text names this one. */
  readonly namedIn?: readonly [type: string, property: string];
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

function firewallPart(statement: string, scopedDownIn: readonly string[]): Blocker {
  const [acl, group] = ["aws:wafv2/webAcl:WebAcl", "aws:wafv2/ruleGroup:RuleGroup"] as const;
  const places = ["", ...scopedDownIn.map((outer) => `${outer}.scopeDownStatement.`)];
  return {
    code: "WAFAssociatedItemException",
    message: (row) =>
      `AWS WAF couldn't perform the operation because ${row.name} is being used by another resource.`,
    dependents: places.flatMap((place) => {
      const path = `rules.statement.${place}${statement}.arn`;
      // Rule groups hold neither groups nor managed groups.
      const isOfAclOnly = place.startsWith("managed") || statement.startsWith("ruleGroup");
      return (isOfAclOnly ? [acl] : [acl, group]).map((type) => [type, path] as const);
    }),
  };
}

const scopedDown = ["rateBasedStatement", "managedRuleGroupStatement"];

function usedByMethods(property: string): Blocker {
  return {
    code: "ConflictException",
    message: (row) => `Cannot delete ${row.name ?? row.aws_id}, is referenced in a method`,
    dependents: [["aws:apigateway/method:Method", property]],
  };
}

function usedByDistributions(code: string, property: string): Blocker {
  const distribution = "aws:cloudfront/distribution:Distribution";
  return {
    code,
    message: (row) => `Cannot delete ${row.name ?? row.aws_id} because it is in use by a distribution`,
    dependents: [
      [distribution, `defaultCacheBehavior.${property}`],
      [distribution, `orderedCacheBehaviors.${property}`],
    ],
  };
}

const inComposite: Blocker = {
  code: "ValidationError",
  message: (row) => `Cannot delete ${row.name} as there are composite alarm(s) depending on it.`,
  namedIn: ["aws:cloudwatch/compositeAlarm:CompositeAlarm", "alarmRule"],
};

const namespaceInUse: Blocker = {
  code: "ResourceInUse",
  message: (row) => `Namespace has associated services: ${row.aws_id}`,
  dependents: [
    ["aws:servicediscovery/service:Service", "namespaceId"],
    ["aws:servicediscovery/service:Service", "dnsConfig.namespaceId"],
  ],
};

/** By service and type. */
export const blockers: Readonly<Record<string, Blocker>> = {
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
  // https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeletePipeline.html
  "sagemaker/pipeline": {
    code: "ConflictException",
    message: (row) => `Pipeline ${row.arn} cannot be deleted because it has running executions.`,
    byExecutions: true,
  },
  "ec2/vpc": {
    code: "DependencyViolation",
    message: (row) => `The vpc '${row.aws_id}' has dependencies and cannot be deleted.`,
    dependents: vpcParts,
  },
  "ec2/subnet": {
    code: "DependencyViolation",
    message: (row) => `The subnet '${row.aws_id}' has dependencies and cannot be deleted.`,
    byJobs: "Subnets",
    dependents: [
      ["aws:ec2/natGateway:NatGateway", "subnetId"],
      ["aws:ec2/vpcEndpoint:VpcEndpoint", "subnetIds"],
      ["aws:lb/loadBalancer:LoadBalancer", "subnets"],
      ["aws:lambda/function:Function", "vpcConfig.subnetIds"],
      ["aws:ecs/service:Service", "networkConfiguration.subnets"],
      ["aws:apigatewayv2/vpcLink:VpcLink", "subnetIds"],
      ["aws:sagemaker/notebookInstance:NotebookInstance", "subnetId"],
      ["aws:synthetics/canary:Canary", "vpcConfig.subnetIds"],
    ],
  },
  "ec2/networkAcl": {
    code: "DependencyViolation",
    message: (row) => `The networkAcl '${row.aws_id}' has dependencies and cannot be deleted.`,
    dependents: [["aws:ec2/networkAclAssociation:NetworkAclAssociation", "networkAclId"]],
  },
  "ec2/securityGroup": {
    code: "DependencyViolation",
    message: (row) => `resource ${row.aws_id} has a dependent object`,
    byJobs: "SecurityGroupIds",
    dependents: [
      ["aws:ec2/vpcEndpoint:VpcEndpoint", "securityGroupIds"],
      ["aws:lb/loadBalancer:LoadBalancer", "securityGroups"],
      ["aws:lambda/function:Function", "vpcConfig.securityGroupIds"],
      ["aws:ecs/service:Service", "networkConfiguration.securityGroups"],
      ["aws:apigatewayv2/vpcLink:VpcLink", "securityGroupIds"],
      ["aws:sagemaker/notebookInstance:NotebookInstance", "securityGroups"],
      ["aws:synthetics/canary:Canary", "vpcConfig.securityGroupIds"],
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
      ["aws:iam/instanceProfile:InstanceProfile", "role"],
    ],
    unless: "forceDetachPolicies",
  },
  "iam/policy": {
    code: "DeleteConflict",
    message: () => "Cannot delete a policy attached to entities.",
    dependents: [
      ["aws:iam/rolePolicyAttachment:RolePolicyAttachment", "policyArn"],
      ["aws:iam/role:Role", "permissionsBoundary"],
      ["aws:iam/role:Role", "managedPolicyArns"],
    ],
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
      ["aws:lb/listener:Listener", "defaultActions.forward.targetGroups.arn"],
      ["aws:lb/listenerRule:ListenerRule", "actions.targetGroupArn"],
      ["aws:lb/listenerRule:ListenerRule", "actions.forward.targetGroups.arn"],
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
    dependents: [
      ["aws:wafv2/webAclAssociation:WebAclAssociation", "webAclArn"],
      ["aws:cloudfront/distribution:Distribution", "webAclId"],
    ],
  },
  "wafv2/ipSet": firewallPart("ipSetReferenceStatement", scopedDown),
  "wafv2/regexPatternSet": firewallPart("regexPatternSetReferenceStatement", scopedDown),
  "wafv2/ruleGroup": firewallPart("ruleGroupReferenceStatement", []),
  "acm/certificate": {
    code: "ResourceInUseException",
    message: (row) => `Certificate ${row.arn} is in use.`,
    dependents: [
      ["aws:lb/listener:Listener", "certificateArn"],
      ["aws:lb/listenerCertificate:ListenerCertificate", "certificateArn"],
      ["aws:cloudfront/distribution:Distribution", "viewerCertificate.acmCertificateArn"],
    ],
  },
  "apigateway/authorizer": usedByMethods("authorizerId"),
  "apigateway/requestValidator": usedByMethods("requestValidatorId"),
  "apigateway/restApi": {
    code: "BadRequestException",
    message: (row) =>
      `Cannot delete REST API ${row.aws_id}: its stages are in a usage plan. Remove them from the plan first.`,
    dependents: [["aws:apigateway/usagePlan:UsagePlan", "apiStages.apiId"]],
  },
  "apigateway/vpcLink": {
    code: "BadRequestException",
    message: (row) => `Cannot delete vpc link. Vpc link '${row.aws_id}', is referenced in an integration`,
    dependents: [["aws:apigateway/integration:Integration", "connectionId"]],
  },
  "athena/workgroup": {
    code: "InvalidRequestException",
    message: (row) => `WorkGroup ${row.name} is not empty`,
    dependents: [["aws:athena/namedQuery:NamedQuery", "workgroup"]],
    unless: "forceDestroy",
  },
  "cfg/deliveryChannel": {
    code: "LastDeliveryChannelDeleteFailedException",
    message: (row) =>
      `Failed to delete last specified delivery channel with name '${row.name}', because there is a running configuration recorder.`,
    running: ["aws:cfg/recorderStatus:RecorderStatus", "isEnabled"],
  },
  "cfg/rule": {
    code: "ResourceInUseException",
    message: (row) => `An active remediation configuration exists for rule ${row.name}.`,
    dependents: [["aws:cfg/remediationConfiguration:RemediationConfiguration", "configRuleName"]],
  },
  "cloudfront/cachePolicy": usedByDistributions("CachePolicyInUse", "cachePolicyId"),
  "cloudfront/function": usedByDistributions("FunctionInUse", "functionAssociations.functionArn"),
  "cloudfront/originRequestPolicy": usedByDistributions("OriginRequestPolicyInUse", "originRequestPolicyId"),
  "cloudfront/responseHeadersPolicy": usedByDistributions(
    "ResponseHeadersPolicyInUse",
    "responseHeadersPolicyId",
  ),
  "cloudtrail/eventDataStore": {
    code: "EventDataStoreTerminationProtectedException",
    message: (row) =>
      `The event data store ${row.arn} cannot be deleted because termination protection is enabled`,
    when: (outputs) => outputs.terminationProtectionEnabled === true,
  },
  "cloudwatch/eventBus": {
    code: "ConcurrentModificationException",
    message: (row) => `Cannot delete event bus ${row.name} with rules`,
    dependents: [["aws:cloudwatch/eventRule:EventRule", "eventBusName"]],
  },
  "cloudwatch/metricAlarm": inComposite,
  "cloudwatch/compositeAlarm": inComposite,
  "dynamodb/table": {
    code: "ValidationException",
    message: (row) => `Resource cannot be deleted as it is currently protected against deletion: ${row.name}`,
    when: (outputs) => outputs.deletionProtectionEnabled === true,
  },
  "organizations/policy": {
    code: "PolicyInUseException",
    message: (row) => `The policy ${row.aws_id} is attached to one or more entities`,
    dependents: [["aws:organizations/policyAttachment:PolicyAttachment", "policyId"]],
  },
  "servicediscovery/httpNamespace": namespaceInUse,
  "servicediscovery/privateDnsNamespace": namespaceInUse,
  "sagemaker/notebookInstanceLifecycleConfiguration": {
    code: "ValidationException",
    message: (row) => `Lifecycle configuration ${row.name} is in use by a notebook instance`,
    dependents: [["aws:sagemaker/notebookInstance:NotebookInstance", "lifecycleConfigName"]],
  },
};
