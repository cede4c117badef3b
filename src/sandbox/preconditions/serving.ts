import { AwsError } from "../aws-error.ts";
import { isMap, valuesAt } from "../values.ts";
import { bucketAllows } from "./consent.ts";
import { find, type Intent, missing, named, type Preconditions, text, types } from "./intent.ts";
import { roleAllows } from "./permissions.ts";
import { takesAcls } from "./storage.ts";

/** API Gateway, CloudFront, WAF, load balancers and ECS. */
export const servingPreconditions: Preconditions = {
  "apigateway/account": async (intent) => {
    const arn = text(intent.inputs.cloudwatchRoleArn);
    if (arn === "" || (await roleAllows(intent, arn, "logs:PutLogEvents"))) return undefined;
    return new AwsError(
      "BadRequestException",
      `The role ARN does not have required permissions configured: attach AmazonAPIGatewayPushToCloudWatchLogs to ${arn} first (dependsOn)`,
    );
  },
  "apigateway/deployment": async (intent) => {
    const api = text(intent.inputs.restApi);
    const methods = await find(intent, types.apiMethod, "restApi", api);
    const integrations = await find(intent, types.apiIntegration, "restApi", api);
    const restApi = await named(intent, "aws:apigateway/restApi:RestApi", api);
    if (text(restApi?.outputs.body) !== "") return undefined;
    if (methods.length === 0) {
      return new AwsError(
        "BadRequestException",
        "The REST API doesn't contain any methods: create one first (dependsOn)",
      );
    }
    const bare = methods.find(
      ({ outputs: method }) =>
        !integrations.some(
          ({ outputs }) =>
            outputs.resourceId === method.resourceId && outputs.httpMethod === method.httpMethod,
        ),
    );
    if (!bare) return undefined;
    return new AwsError(
      "BadRequestException",
      `No integration defined for method ${text(bare.outputs.httpMethod)} of ${text(bare.outputs.resourceId)}: create it first (dependsOn)`,
    );
  },
  "apigateway/stage": async (intent) =>
    isMap(intent.inputs.accessLogSettings) ? withoutLogRole(intent) : undefined,
  "apigateway/methodSettings": async (intent) => {
    const [level] = valuesAt(intent.inputs, ["settings", "loggingLevel"]);
    return level === "INFO" || level === "ERROR" ? withoutLogRole(intent) : undefined;
  },
  "apigateway/usagePlan": async (intent) => {
    for (const one of valuesAt(intent.inputs.apiStages, [])) {
      if (!isMap(one)) continue;
      const stages = await find(intent, "aws:apigateway/stage:Stage", "restApi", text(one.apiId));
      if (stages.some(({ outputs }) => outputs.stageName === one.stage)) continue;
      return new AwsError(
        "NotFoundException",
        `API Stage not found: ${text(one.apiId)}:${text(one.stage)}: create it first (dependsOn)`,
      );
    }
    return undefined;
  },
  "cloudfront/distribution": async (intent) => {
    const [target] = valuesAt(intent.inputs, ["loggingConfig", "bucket"]);
    const bucket = text(target).replace(/\.s3[.-].*$/, "");
    if (bucket === "" || (await takesAcls(intent, bucket))) return undefined;
    return new AwsError(
      "InvalidArgument",
      `The S3 bucket that you specified for CloudFront logs does not enable ACL access: ${bucket}: give it aws.s3.BucketOwnershipControls with BucketOwnerPreferred first, or use log delivery`,
    );
  },
  "wafv2/webAcl": firewallScope,
  "wafv2/ipSet": firewallScope,
  "wafv2/regexPatternSet": firewallScope,
  "wafv2/ruleGroup": firewallScope,
  "wafv2/webAclAssociation": async ({ inputs }) => {
    const [acl, resource] = [text(inputs.webAclArn), text(inputs.resourceArn)];
    if (acl.includes(":global/")) {
      return new AwsError(
        "WAFInvalidParameterException",
        `${acl} is of scope CLOUDFRONT: name it in the distribution's webAclId`,
      );
    }
    if (
      /:(elasticloadbalancing:.*:loadbalancer\/app|apigateway:.*\/restapis\/.*\/stages|cognito-idp|appsync|apprunner|ec2):?/.test(
        resource,
      )
    )
      return undefined;
    return new AwsError(
      "WAFInvalidParameterException",
      `The ARN isn't valid: a web ACL protects application load balancers and stages of REST APIs, not ${resource}`,
    );
  },
  "lb/loadBalancer": async (intent) => {
    const logs = intent.inputs.accessLogs;
    if (!isMap(logs) || logs.enabled !== true) return undefined;
    const bucket = text(logs.bucket);
    const isAllowed =
      (await bucketAllows(intent, bucket, "elasticloadbalancing.amazonaws.com")) ||
      (await bucketAllows(intent, bucket, ":root"));
    const [encryption] = await find(
      intent,
      "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
      "bucket",
      bucket,
    );
    const usesKey = JSON.stringify(encryption?.outputs.rules ?? []).includes("aws:kms");
    if (isAllowed && !usesKey) return undefined;
    return new AwsError(
      "InvalidConfigurationRequest",
      `Access Denied for bucket: ${bucket}. Please check S3bucket permission: ${
        usesKey
          ? "load balancers write only to buckets with SSE-S3"
          : "allow logdelivery.elasticloadbalancing.amazonaws.com by its policy first (dependsOn)"
      }`,
    );
  },
  "ecs/service": serviceFits,
};

function withoutLogRole(intent: Intent): Promise<AwsError | undefined> {
  return missing(
    intent,
    types.apiAccount,
    "BadRequestException",
    "a CloudWatch Logs role ARN in API Gateway's account settings (aws.apigateway.Account)",
  );
}

async function firewallScope({ inputs, region }: Intent): Promise<AwsError | undefined> {
  if (inputs.scope !== "CLOUDFRONT" || region === "us-east-1") return undefined;
  return new AwsError(
    "WAFInvalidParameterException",
    `The scope is not valid., field: SCOPE_VALUE, parameter: CLOUDFRONT: give it the region us-east-1, not ${region}`,
  );
}

async function serviceFits(intent: Intent): Promise<AwsError | undefined> {
  const definition = text(intent.inputs.taskDefinition);
  const task = definition === "" ? undefined : await named(intent, types.taskDefinition, definition);
  const containers = text(task?.outputs.containerDefinitions);
  for (const balancer of valuesAt(intent.inputs.loadBalancers, []).filter(isMap)) {
    const arn = text(balancer.targetGroupArn);
    const group = arn === "" ? undefined : await named(intent, types.targetGroup, arn);
    if (group && !(await isAttached(intent, arn))) {
      return new AwsError(
        "InvalidParameterException",
        `The target group with targetGroupArn ${arn} does not have an associated load balancer: create its listener first (dependsOn)`,
      );
    }
    if (group && group.outputs.targetType !== "ip" && task?.outputs.networkMode === "awsvpc") {
      return new AwsError(
        "InvalidParameterException",
        `The provided target group ${arn} has target type ${text(group.outputs.targetType)}, which is incompatible with the awsvpc network mode: use ip`,
      );
    }
    const name = text(balancer.containerName);
    if (task && !containers.includes(`"${name}"`)) {
      return new AwsError(
        "InvalidParameterException",
        `The container ${name} does not exist in the task definition ${definition}`,
      );
    }
  }
  return undefined;
}

async function isAttached(intent: Intent, targetGroupArn: string): Promise<boolean> {
  for (const type of [types.listener, types.listenerRule]) {
    const rows = await intent.store.list(type, intent.account, intent.region);
    if (rows.some(({ outputs }) => JSON.stringify(outputs).includes(targetGroupArn))) return true;
  }
  return false;
}
