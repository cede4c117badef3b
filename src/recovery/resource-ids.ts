type Inputs = Readonly<Record<string, unknown>>;

interface Place {
  readonly accountId: string;
  readonly region: string;
}

/** How a resource is found that AWS may have made without anybody having heard its answer. */
export type Rule =
  /** Its id, in the form that the provider imports by, follows from what was asked for. */
  | { readonly by: "inputs"; readonly id: (inputs: Inputs, place: Place) => string }
  /** AWS made the id up, and lists it with its tags: the id in an ARN of the type, else undefined. */
  | {
      readonly by: "tags";
      readonly idIn: (arn: string, inputs: Inputs) => string | undefined;
      /** It belongs to no region: AWS lists it in us-east-1. */
      readonly isGlobal?: true;
    }
  /** It takes no tags, but AWS lists what there is of its type, or of its parent. */
  | {
      readonly by: "list";
      readonly typeName: string;
      readonly model?: (inputs: Inputs) => Inputs;
      readonly fits: (properties: Inputs, inputs: Inputs) => boolean;
      /** The id in the state, of what AWS names by `identifier`. */
      readonly idOf: (identifier: string, inputs: Inputs) => string;
      /** What the provider imports it by, where that isn't its id. */
      readonly importId?: (id: string, inputs: Inputs) => string;
      /** Of several that no stack knows each is as good. */
      readonly anyWillDo?: true;
      /** Where AWS can't list it: creating it once more makes no second one. */
      readonly repeatable?: true;
    }
  /** AWS and the provider know it by what was asked for, and by no id. */
  | { readonly by: "properties" }
  /** Creating it once more changes nothing and makes no second one. */
  | { readonly by: "repetition" };

const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));

/** The values of these inputs, with a separator between them. */
const joined =
  (names: readonly string[], separator = "/", prefix = "") =>
  (inputs: Inputs): string =>
    prefix + names.map((name) => text(inputs[name])).join(separator);

const named = (...names: readonly string[]): Rule => ({ by: "inputs", id: joined(names) });
const parts = (separator: string, ...names: readonly string[]): Rule => ({
  by: "inputs",
  id: joined(names, separator),
});

const partition = ({ region }: Place): string => (region.startsWith("cn-") ? "aws-cn" : "aws");

/** An ARN whose last part is made of inputs, such as `{name}`. */
const arn = (service: string, resource: string, where: "regional" | "global" = "regional"): Rule => ({
  by: "inputs",
  id: (inputs, place) =>
    `arn:${partition(place)}:${service}:${where === "global" ? "" : place.region}:${place.accountId}:${filled(resource, inputs)}`,
});

const filled = (template: string, inputs: Inputs): string =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => text(inputs[name]));

const account: Rule = { by: "inputs", id: (_, { accountId }) => accountId };
const region: Rule = { by: "inputs", id: (_, place) => place.region };
const properties: Rule = { by: "properties" };
const repetition: Rule = { by: "repetition" };

/** What follows `service:…:…:prefix` in an ARN. */
const tagged = (service: string, prefix: string): Rule => ({
  by: "tags",
  idIn: (found) => afterPrefix(found, service, prefix),
});

/** As `tagged`, where the ARN itself is the id; `fits` tells by the inputs which ARN. */
const taggedArn = (service: string, resource: string): Rule => ({
  by: "tags",
  idIn: (found, inputs) => {
    const prefix = filled(resource, inputs);
    return afterPrefix(found, service, prefix) === undefined ? undefined : found;
  },
});

function afterPrefix(found: string, service: string, prefix: string): string | undefined {
  const [, , ofService, , , ...rest] = found.split(":");
  const resource = rest.join(":");
  return ofService === service && resource.startsWith(prefix) ? resource.slice(prefix.length) : undefined;
}

const partOfApi = (
  typeName: string,
  fits: (properties: Inputs, inputs: Inputs) => boolean,
  anyWillDo?: true,
): Rule => ({
  by: "list",
  typeName: `AWS::ApiGateway::${typeName}`,
  model: ({ restApi }) => ({ RestApiId: restApi }),
  fits,
  // Cloud Control's identifier names the API as well.
  idOf: (identifier, { restApi }) => identifier.split("|").find((part) => part !== restApi) ?? identifier,
  importId: (id, { restApi }) => `${text(restApi)}/${id}`,
  ...(anyWillDo && { anyWillDo }),
});

/**
 * By service and kind of the type's token. Forms of ids are those of the provider's imports: see "Import" on each type's page of
 * https://www.pulumi.com/registry/packages/aws/api-docs/
 */
const rules: Readonly<Record<string, Rule>> = {
  "accessanalyzer/analyzer": named("analyzerName"),
  "apigateway/account": account,
  "apigateway/apiKey": tagged("apigateway", "/apikeys/"),
  "apigateway/authorizer": partOfApi("Authorizer", (found, { name }) => found.Name === name),
  "apigateway/deployment": partOfApi("Deployment", () => true, true),
  "apigateway/integration": named("restApi", "resourceId", "httpMethod"),
  "apigateway/method": named("restApi", "resourceId", "httpMethod"),
  "apigateway/methodSettings": named("restApi", "stageName", "methodPath"),
  "apigateway/model": named("restApi", "name"),
  "apigateway/requestValidator": partOfApi("RequestValidator", (found, { name }) => found.Name === name),
  "apigateway/resource": partOfApi(
    "Resource",
    (found, { parentId, pathPart }) => found.ParentId === parentId && found.PathPart === pathPart,
  ),
  "apigateway/response": named("restApiId", "responseType"),
  "apigateway/restApi": tagged("apigateway", "/restapis/"),
  "apigateway/restApiPolicy": named("restApiId"),
  "apigateway/stage": named("restApi", "stageName"),
  "apigateway/usagePlan": tagged("apigateway", "/usageplans/"),
  "apigateway/usagePlanKey": named("usagePlanId", "keyId"),
  "appautoscaling/policy": named("serviceNamespace", "resourceId", "scalableDimension", "name"),
  // The provider imports none, and reads it by its names.
  "appautoscaling/scheduledAction": properties,
  "appautoscaling/target": named("serviceNamespace", "resourceId", "scalableDimension"),
  "backup/plan": tagged("backup", "backup-plan:"),
  "backup/selection": {
    by: "list",
    typeName: "AWS::Backup::BackupSelection",
    model: ({ planId }) => ({ BackupPlanId: planId }),
    fits: (found, { name }) => {
      const selection = found.BackupSelection as Inputs | undefined;
      return selection?.SelectionName === name;
    },
    idOf: (identifier) => identifier.split("_")[0] ?? identifier,
    importId: (id, { planId }) => `${text(planId)}|${id}`,
  },
  "backup/vault": named("name"),
  "backup/vaultLockConfiguration": named("backupVaultName"),
  "backup/vaultPolicy": named("backupVaultName"),
  "budgets/budget": { by: "inputs", id: ({ name }, { accountId }) => `${accountId}:${text(name)}` },
  "cfg/deliveryChannel": named("name"),
  "cfg/recorder": named("name"),
  "cfg/recorderStatus": named("name"),
  "cfg/rule": named("name"),
  "cloudfront/distribution": {
    by: "tags",
    idIn: (found) => afterPrefix(found, "cloudfront", "distribution/"),
    isGlobal: true,
  },
  "cloudfront/responseHeadersPolicy": {
    by: "list",
    typeName: "AWS::CloudFront::ResponseHeadersPolicy",
    fits: (found, { name }) => (found.ResponseHeadersPolicyConfig as Inputs | undefined)?.Name === name,
    idOf: (identifier) => identifier,
  },
  "cloudtrail/trail": arn("cloudtrail", "trail/{name}"),
  "cloudwatch/compositeAlarm": named("alarmName"),
  "cloudwatch/dashboard": named("dashboardName"),
  "cloudwatch/eventRule": {
    by: "inputs",
    id: ({ eventBusName, name }) =>
      eventBusName === undefined || eventBusName === "default"
        ? text(name)
        : `${text(eventBusName)}/${text(name)}`,
  },
  "cloudwatch/eventTarget": {
    by: "inputs",
    id: ({ eventBusName, rule, targetId }) =>
      [eventBusName === "default" ? undefined : eventBusName, rule, targetId].filter(Boolean).join("/"),
  },
  "cloudwatch/logDelivery": tagged("logs", "delivery:"),
  "cloudwatch/logDeliveryDestination": named("name"),
  "cloudwatch/logDeliverySource": named("name"),
  "cloudwatch/logGroup": named("name"),
  "cloudwatch/metricAlarm": named("name"),
  "codebuild/project": named("name"),
  "codebuild/reportGroup": arn("codebuild", "report-group/{name}"),
  "codedeploy/application": named("name"),
  "codedeploy/deploymentConfig": named("deploymentConfigName"),
  "codedeploy/deploymentGroup": parts(":", "appName", "deploymentGroupName"),
  "codepipeline/pipeline": named("name"),
  // A setting of the account's: put once more, it is the same.
  "ebs/encryptionByDefault": repetition,
  "ebs/snapshotBlockPublicAccess": region,
  // AWS makes it with the network, and it is adopted: where it bears no tags yet, nothing was done.
  "ec2/defaultSecurityGroup": tagged("ec2", "security-group/"),
  "ec2/flowLog": tagged("ec2", "vpc-flow-log/"),
  "ec2/instanceMetadataDefaults": repetition,
  "ec2/internetGateway": tagged("ec2", "internet-gateway/"),
  "ec2/networkAcl": tagged("ec2", "network-acl/"),
  "ec2/route": {
    by: "inputs",
    id: (inputs) =>
      [
        text(inputs.routeTableId),
        text(
          inputs.destinationCidrBlock ?? inputs.destinationIpv6CidrBlock ?? inputs.destinationPrefixListId,
        ),
      ].join("_"),
  },
  "ec2/routeTable": tagged("ec2", "route-table/"),
  "ec2/routeTableAssociation": {
    by: "inputs",
    id: ({ subnetId, gatewayId, routeTableId }) => `${text(subnetId ?? gatewayId)}/${text(routeTableId)}`,
  },
  "ec2/securityGroup": tagged("ec2", "security-group/"),
  "ec2/subnet": tagged("ec2", "subnet/"),
  "ec2/vpc": tagged("ec2", "vpc/"),
  "ec2/vpcEndpoint": tagged("ec2", "vpc-endpoint/"),
  "ecr/lifecyclePolicy": named("repository"),
  "ecr/registryScanningConfiguration": account,
  "ecr/repository": named("name"),
  "ecr/repositoryPolicy": named("repository"),
  "ecs/cluster": named("name"),
  "ecs/service": {
    by: "inputs",
    id: ({ cluster, name }) => `${text(cluster).split("/").at(-1) ?? ""}/${text(name)}`,
  },
  "ecs/taskDefinition": taggedArn("ecs", "task-definition/{family}:"),
  "fis/experimentTemplate": tagged("fis", "experiment-template/"),
  "glue/catalogDatabase": {
    by: "inputs",
    id: ({ catalogId, name }, { accountId }) => `${text(catalogId) || accountId}:${text(name)}`,
  },
  "glue/catalogTable": {
    by: "inputs",
    id: ({ catalogId, databaseName, name }, { accountId }) =>
      `${text(catalogId) || accountId}:${text(databaseName)}:${text(name)}`,
  },
  "glue/crawler": named("name"),
  "glue/dataCatalogEncryptionSettings": {
    by: "inputs",
    id: ({ catalogId }, { accountId }) => text(catalogId) || accountId,
  },
  "glue/job": named("name"),
  "glue/securityConfiguration": named("name"),
  "glue/trigger": named("name"),
  "guardduty/detector": tagged("guardduty", "detector/"),
  "guardduty/detectorFeature": named("detectorId", "name"),
  "iam/policy": {
    by: "inputs",
    id: ({ path = "/", name }, place) =>
      `arn:${partition(place)}:iam::${place.accountId}:policy${text(path)}${text(name)}`,
  },
  "iam/role": named("name"),
  "iam/rolePolicy": parts(":", "role", "name"),
  "iam/rolePolicyAttachment": named("role", "policyArn"),
  "iam/serviceLinkedRole": {
    by: "inputs",
    id: ({ awsServiceName }, place) => {
      const service = text(awsServiceName);
      const short = service.split(".")[0] ?? "";
      const role = `AWSServiceRoleFor${short.charAt(0).toUpperCase()}${short.slice(1)}`;
      return `arn:${partition(place)}:iam::${place.accountId}:role/aws-service-role/${service}/${role}`;
    },
  },
  "kms/alias": named("name"),
  "kms/key": tagged("kms", "key/"),
  "kms/replicaKey": { by: "inputs", id: ({ primaryKeyArn }) => text(primaryKeyArn).split("/").at(-1) ?? "" },
  // Settings and grants: AWS keeps one of each, however often it is asked for, and gives grants no id.
  "lakeformation/dataLakeSettings": repetition,
  "lakeformation/optIn": properties,
  "lakeformation/permissions": properties,
  "lakeformation/resource": named("arn"),
  "lambda/alias": named("functionName", "name"),
  "lambda/eventSourceMapping": tagged("lambda", "event-source-mapping:"),
  "lambda/function": named("name"),
  "lambda/layerVersion": {
    by: "list",
    typeName: "AWS::Lambda::LayerVersion",
    model: ({ layerName }) => ({ LayerName: layerName }),
    fits: (found, { layerName, description }) =>
      found.LayerName === layerName && found.Description === description,
    idOf: (identifier) => identifier,
    // The description names what is in it.
    anyWillDo: true,
  },
  "lambda/permission": {
    by: "inputs",
    id: ({ function: target, qualifier, statementId }) =>
      `${text(target)}${qualifier === undefined ? "" : `:${text(qualifier)}`}/${text(statementId)}`,
  },
  "lb/listener": taggedArn("elasticloadbalancing", "listener/"),
  "lb/loadBalancer": {
    by: "tags",
    idIn: (found, { name }) =>
      new RegExp(`:loadbalancer/(app|net|gwy)/${text(name)}/`).test(found) ? found : undefined,
  },
  "lb/targetGroup": taggedArn("elasticloadbalancing", "targetgroup/{name}/"),
  "organizations/policy": tagged("organizations", "policy/"),
  "organizations/policyAttachment": parts(":", "targetId", "policyId"),
  "s3/accountPublicAccessBlock": account,
  "s3/bucket": named("bucket"),
  "s3/bucketLifecycleConfiguration": named("bucket"),
  "s3/bucketLogging": named("bucket"),
  "s3/bucketNotification": named("bucket"),
  "s3/bucketObjectv2": named("bucket", "key"),
  "s3/bucketOwnershipControls": named("bucket"),
  "s3/bucketPolicy": named("bucket"),
  "s3/bucketPublicAccessBlock": named("bucket"),
  "s3/bucketReplicationConfig": named("bucket"),
  "s3/bucketServerSideEncryptionConfiguration": named("bucket"),
  "s3/bucketVersioning": named("bucket"),
  "s3/inventory": parts(":", "bucket", "name"),
  "sagemaker/dataQualityJobDefinition": named("name"),
  "sagemaker/featureGroup": named("featureGroupName"),
  "sagemaker/mlflowApp": taggedArn("sagemaker", "mlflow-app/"),
  "sagemaker/modelPackageGroup": named("modelPackageGroupName"),
  "sagemaker/modelPackageGroupPolicy": named("modelPackageGroupName"),
  "sagemaker/monitoringSchedule": named("name"),
  "sagemaker/notebookInstance": named("name"),
  "sagemaker/notebookInstanceLifecycleConfiguration": named("name"),
  "sagemaker/pipeline": named("pipelineName"),
  "scheduler/schedule": {
    by: "inputs",
    id: ({ groupName = "default", name }) => `${text(groupName)}/${text(name)}`,
  },
  "scheduler/scheduleGroup": named("name"),
  "secretsmanager/secret": taggedArn("secretsmanager", "secret:{name}-"),
  "secretsmanager/secretPolicy": named("secretArn"),
  "secretsmanager/secretRotation": named("secretId"),
  "securityhub/account": account,
  "securityhub/standardsSubscription": {
    by: "inputs",
    id: ({ standardsArn }, place) =>
      text(standardsArn).replace(
        /:securityhub:[^:]*:[^:]*:(ruleset|standards)/,
        `:securityhub:${place.region}:${place.accountId}:subscription`,
      ),
  },
  "sfn/stateMachine": arn("states", "stateMachine:{name}"),
  "signer/signingProfile": named("name"),
  "sns/topic": arn("sns", "{name}"),
  "sns/topicPolicy": named("arn"),
  // Asked once more with the same endpoint, AWS answers with the subscription that there is. One that nobody has confirmed yet has no ARN.
  "sns/topicSubscription": {
    by: "list",
    typeName: "AWS::SNS::Subscription",
    model: ({ topic }) => ({ TopicArn: topic }),
    fits: ({ SubscriptionArn, ...found }, { topic, protocol, endpoint }) =>
      text(SubscriptionArn).startsWith("arn:") &&
      found.TopicArn === topic &&
      found.Protocol === protocol &&
      found.Endpoint === endpoint,
    idOf: (identifier) => identifier,
    repeatable: true,
  },
  "sqs/queue": {
    by: "inputs",
    id: ({ name }, { accountId, region: where }) =>
      `https://sqs.${where}.amazonaws.com/${accountId}/${text(name)}`,
  },
  "sqs/queuePolicy": named("queueUrl"),
  "sqs/redriveAllowPolicy": named("queueUrl"),
  "ssm/document": named("name"),
  "ssm/parameter": named("name"),
  "vpc/securityGroupEgressRule": tagged("ec2", "security-group-rule/"),
  "vpc/securityGroupIngressRule": tagged("ec2", "security-group-rule/"),
  "wafv2/webAcl": {
    by: "tags",
    idIn: (found, { name, scope }) => {
      const kind = scope === "CLOUDFRONT" ? "global" : "regional";
      const id = afterPrefix(found, "wafv2", `${kind}/webacl/${text(name)}/`);
      return id;
    },
  },
  "wafv2/webAclAssociation": parts(",", "webAclArn", "resourceArn"),
  "wafv2/webAclLoggingConfiguration": named("resourceArn"),
  "xray/encryptionConfig": region,
  "xray/group": taggedArn("xray", "group/{groupName}/"),
  "xray/samplingRule": named("ruleName"),
};

/** The rule for a type's token, such as `aws:s3/bucket:Bucket`; undefined for types that no program registers. */
export function ruleOf(type: string): Rule | undefined {
  const kind = type.split(":")[1] ?? "";
  return Object.hasOwn(rules, kind) ? rules[kind] : undefined;
}
