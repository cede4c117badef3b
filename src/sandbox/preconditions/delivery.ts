import { AwsError } from "../aws-error.ts";
import { isMap, valuesAt } from "../values.ts";
import { functionAllows } from "./consent.ts";
import { find, type Intent, named, type Preconditions, text, types } from "./intent.ts";
import { roleAllows } from "./permissions.ts";

// https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html: 1,000 in all, of which 100 can't be reserved.
const reservableConcurrency = 900;
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const targetsOfARule = 5;

/** Lambda, EventBridge, CodeBuild and CodeDeploy. */
export const deliveryPreconditions: Preconditions = {
  "lambda/function": async (intent) => {
    const { inputs } = intent;
    const role = text(inputs.role);
    const needed = [
      ...(valuesAt(inputs, ["vpcConfig", "subnetIds"]).length > 0 ? ["ec2:CreateNetworkInterface"] : []),
      ...valuesAt(inputs, ["deadLetterConfig", "targetArn"]).map(sendAction),
      ...(valuesAt(inputs, ["tracingConfig", "mode"])[0] === "Active" ? ["xray:PutTraceSegments"] : []),
    ];
    return (await roleMisses(intent, role, needed)) ?? reservationError(intent);
  },
  "lambda/functionEventInvokeConfig": async (intent) => {
    const name = text(intent.inputs.functionName);
    const fn = await named(intent, types.lambda, name);
    const destinations = ["onFailure", "onSuccess"].flatMap((kind) =>
      valuesAt(intent.inputs, ["destinationConfig", kind, "destination"]),
    );
    return fn && roleMisses(intent, text(fn.outputs.role), destinations.map(sendAction));
  },
  "lambda/eventSourceMapping": async (intent) => {
    const arn = text(intent.inputs.eventSourceArn);
    const queue = await named(intent, types.queue, arn);
    const name = text(intent.inputs.functionName);
    const fn = await named(
      intent,
      types.lambda,
      name.startsWith("arn:") ? name.split(":").slice(0, 7).join(":") : name,
    );
    const visibility = Number(queue?.outputs.visibilityTimeoutSeconds ?? 30);
    const timeout = Number(fn?.outputs.timeout ?? 3);
    if (!queue || !fn) return undefined;
    if (visibility < timeout) {
      return new AwsError(
        "InvalidParameterValueException",
        `Queue visibility timeout: ${visibility} seconds is less than Function timeout: ${timeout} seconds`,
      );
    }
    return roleMisses(intent, text(fn.outputs.role), [
      "sqs:ReceiveMessage",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
    ]);
  },
  "cloudwatch/eventTarget": async (intent) => {
    if (!intent.isNew) return undefined;
    const rule = text(intent.inputs.rule);
    const bus = text(intent.inputs.eventBusName) || "default";
    const targets = await find(intent, types.eventTarget, "rule", rule);
    const others = targets.filter(
      ({ outputs, region }) =>
        region === intent.region &&
        (text(outputs.eventBusName) || "default") === bus &&
        outputs.targetId !== intent.inputs.targetId,
    );
    if (others.length < targetsOfARule) return undefined;
    return new AwsError(
      "LimitExceededException",
      `The requested resource exceeds the maximum number allowed: the rule "${rule}" has ${others.length} targets, AWS allows ${targetsOfARule}: use a second rule or fan out from a topic`,
    );
  },
  "cloudwatch/logSubscriptionFilter": async (intent) => {
    const arn = text(intent.inputs.destinationArn);
    if (!arn.includes(":function:")) return undefined;
    for (const principal of ["logs.amazonaws.com", `logs.${intent.region}.amazonaws.com`]) {
      if (await functionAllows(intent, arn, principal)) return undefined;
    }
    return new AwsError(
      "InvalidParameterException",
      `Could not execute the lambda function ${arn}. Make sure you have given CloudWatch Logs permission to execute your function: create an aws.lambda.Permission for logs.amazonaws.com first (dependsOn)`,
    );
  },
  "codebuild/project": async (intent) => {
    if (!isMap(intent.inputs.vpcConfig)) return undefined;
    const role = text(intent.inputs.serviceRole);
    if (await roleAllows(intent, role, "ec2:DescribeSecurityGroups")) return undefined;
    return new AwsError(
      "InvalidInputException",
      `Not authorized to perform DescribeSecurityGroups: give ${role} that permission first (dependsOn)`,
    );
  },
  "codedeploy/deploymentGroup": deploymentGroupFits,
};

function sendAction(arn: Parameters<typeof text>[0]): string {
  const service = text(arn).split(":")[2];
  const actions: Readonly<Record<string, string>> = {
    events: "events:PutEvents",
    lambda: "lambda:InvokeFunction",
    s3: "s3:PutObject",
    sns: "sns:Publish",
  };
  return actions[service ?? ""] ?? "sqs:SendMessage";
}

/** Lambda tries what it will need with the function's role as soon as it is configured. */
async function roleMisses(
  intent: Intent,
  role: string,
  actions: readonly string[],
): Promise<AwsError | undefined> {
  for (const action of actions) {
    if (await roleAllows(intent, role, action)) continue;
    const [service = "", call = ""] = action.split(":");
    return new AwsError(
      "InvalidParameterValueException",
      `The provided execution role does not have permissions to call ${call} on ${service.toUpperCase()}: give ${role} ${action} first (dependsOn)`,
    );
  }
  return undefined;
}

async function reservationError(intent: Intent): Promise<AwsError | undefined> {
  const wanted = Number(intent.inputs.reservedConcurrentExecutions ?? -1);
  if (wanted <= 0) return undefined;
  const functions = await intent.store.list(types.lambda, intent.account, intent.region);
  const taken = functions
    .filter(({ name }) => name !== intent.inputs.name)
    .reduce((sum, { outputs }) => sum + Math.max(0, Number(outputs.reservedConcurrentExecutions ?? 0)), 0);
  if (taken + wanted <= reservableConcurrency) return undefined;
  return new AwsError(
    "InvalidParameterValueException",
    `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100]: ${taken} are reserved, ${wanted} more are asked for`,
  );
}

async function deploymentGroupFits(intent: Intent): Promise<AwsError | undefined> {
  const [application] = await find(
    intent,
    "aws:codedeploy/application:Application",
    "name",
    text(intent.inputs.appName),
  );
  const platform = text(application?.outputs.computePlatform);
  const ecs = intent.inputs.ecsService;
  if (application && isMap(ecs) !== (platform === "ECS")) {
    return new AwsError(
      "InvalidDeploymentStyleException",
      `The application "${text(application.outputs.name)}" is of the platform ${platform || "Server"}: ${isMap(ecs) ? "an ecsService needs ECS" : "ECS needs an ecsService"}`,
    );
  }
  if (!isMap(ecs)) return undefined;
  const services = await find(intent, types.service, "name", text(ecs.serviceName));
  const service = services.find(({ region }) => region === intent.region);
  const controller = service?.outputs.deploymentController;
  if (!service || (isMap(controller) && controller.type === "CODE_DEPLOY")) return undefined;
  return new AwsError(
    "InvalidECSServiceException",
    `Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller: ${text(ecs.serviceName)}`,
  );
}
