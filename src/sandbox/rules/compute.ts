import { parseJson } from "../json-text.ts";
import { type PropertyMap, valuesAt } from "../values.ts";
import {
  atMost,
  failure,
  isGiven,
  numberOf,
  objectOf,
  objectsOf,
  type Rules,
  repeated,
  textOf,
  textsAt,
} from "./rule.ts";

// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const environmentBytes = 4096;
const layersOfAFunction = 5;
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
const reservedVariables =
  /^(_HANDLER|_X_AMZN_TRACE_ID|AWS_DEFAULT_REGION|AWS_REGION|AWS_EXECUTION_ENV|AWS_LAMBDA_\w+|AWS_ACCESS_KEY(_ID)?|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR)$/;

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#task_size */
const fargateSizes: Readonly<Record<string, readonly [leastMiB: number, mostMiB: number]>> = {
  "256": [512, 2048],
  "512": [1024, 4096],
  "1024": [2048, 8192],
  "2048": [4096, 16_384],
  "4096": [8192, 30_720],
  "8192": [16_384, 61_440],
  "16384": [32_768, 122_880],
};

/** Lambda, ECS, load balancers and scaling. */
export const computeRules: Rules = {
  *"lambda/function"(inputs) {
    const isImage = inputs.packageType === "Image";
    for (const name of ["handler", "runtime"]) {
      if (isImage && isGiven(inputs[name]))
        yield failure(name, "is not for functions of packageType Image: leave it out");
      if (!isImage && !isGiven(inputs[name]))
        yield failure(name, "is required by functions of packageType Zip: set it");
    }
    if (isImage && !isGiven(inputs.imageUri))
      yield failure("imageUri", "is required by packageType Image: set it");
    yield* environmentFailures(objectOf(objectOf(inputs.environment).variables));
    yield* atMost("layers", valuesAt(inputs.layers, []).length, layersOfAFunction, "layers", "merge some");
    const { subnetIds, securityGroupIds } = objectOf(inputs.vpcConfig);
    if (
      isGiven(subnetIds) &&
      valuesAt(subnetIds, []).length > 0 &&
      valuesAt(securityGroupIds, []).length === 0
    )
      yield failure(
        ["vpcConfig", "securityGroupIds"],
        "must name at least one security group beside subnets",
      );
  },
  *"lambda/eventSourceMapping"(inputs) {
    const source = textOf(inputs.eventSourceArn);
    const batch = numberOf(inputs.batchSize) ?? 10;
    const window = numberOf(inputs.maximumBatchingWindowInSeconds) ?? 0;
    if (source?.includes(":sqs:")) {
      if (isGiven(inputs.startingPosition))
        yield failure("startingPosition", "is not for queues: leave it out");
      const isFifo = source.endsWith(".fifo");
      if (isFifo && batch > 10)
        yield failure("batchSize", `must be at most 10 for a FIFO queue, not ${batch}`);
      if (isFifo && window > 0)
        yield failure("maximumBatchingWindowInSeconds", "Batching window is not supported for FIFO queues");
      if (!isFifo && batch > 10 && window < 1)
        yield failure(
          "maximumBatchingWindowInSeconds",
          `must be at least 1 for a batchSize of ${batch}, more than 10`,
        );
      const most = numberOf(objectOf(inputs.scalingConfig).maximumConcurrency);
      if (most !== undefined && (most < 2 || most > 1000))
        yield failure(["scalingConfig", "maximumConcurrency"], `must be between 2 and 1000, not ${most}`);
    } else if (source && /:(kinesis|dynamodb):/.test(source) && !isGiven(inputs.startingPosition)) {
      yield failure("startingPosition", "is required by streams: set it");
    }
    // https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
    const filters = valuesAt(inputs, ["filterCriteria", "filters"]).length;
    yield* atMost("filterCriteria", filters, 5, "filters", "merge some, or ask AWS for up to 10");
  },
  *"ecs/taskDefinition"(inputs) {
    const containers = objectsOf(parseJson(inputs.containerDefinitions));
    const known = textOf(inputs.containerDefinitions);
    if (known !== undefined && containers.length === 0)
      yield failure("containerDefinitions", "must be a JSON list of at least one container");
    for (const name of repeated(containers.map(({ name }) => String(name))))
      yield failure("containerDefinitions", `has two containers of the name "${name}": rename one`);
    for (const container of containers) {
      if (!isGiven(container.image))
        yield failure(
          "containerDefinitions",
          `Container.image should not be null or empty: "${String(container.name)}"`,
        );
    }
    if (!textsAt(inputs, "requiresCompatibilities").includes("FARGATE")) return;
    if (isGiven(inputs.networkMode) && inputs.networkMode !== "awsvpc")
      yield failure("networkMode", "Fargate only supports network mode 'awsvpc'");
    if (!isGiven(inputs.networkMode)) yield failure("networkMode", "is required by FARGATE: set awsvpc");
    yield* fargateSizeFailures(inputs);
    const usesRole = containers.some(
      (container) =>
        objectOf(container.logConfiguration).logDriver === "awslogs" ||
        isGiven(container.secrets) ||
        (textOf(container.image) ?? "").includes(".dkr.ecr."),
    );
    if (usesRole && !isGiven(inputs.executionRoleArn))
      yield failure(
        "executionRoleArn",
        "Fargate requires task definition to have execution role ARN to support ECR images, logs and secrets",
      );
  },
  *"ecs/service"(inputs) {
    const isFargate = inputs.launchType === "FARGATE";
    if (isFargate && !isGiven(inputs.networkConfiguration))
      yield failure(
        "networkConfiguration",
        "Network Configuration must be provided when networkMode 'awsvpc' is specified",
      );
    const controller = textOf(objectOf(inputs.deploymentController).type);
    if (controller !== "EXTERNAL" && !isGiven(inputs.taskDefinition))
      yield failure("taskDefinition", "is required: set it");
    if (controller === "CODE_DEPLOY" && objectsOf(inputs.loadBalancers).length !== 1)
      yield failure("loadBalancers", "must name exactly one target group with the controller CODE_DEPLOY");
    if (controller === "CODE_DEPLOY" && isGiven(inputs.deploymentCircuitBreaker))
      yield failure("deploymentCircuitBreaker", "is not for the controller CODE_DEPLOY: leave it out");
    // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
    yield* atMost("loadBalancers", objectsOf(inputs.loadBalancers).length, 5, "target groups", "use fewer");
  },
  *"lb/loadBalancer"(inputs) {
    const name = textOf(inputs.name);
    if (name?.startsWith("internal-"))
      yield failure("name", `must not begin with "internal-": rename "${name}"`);
    const isApplication = (inputs.loadBalancerType ?? "application") === "application";
    if (isApplication && Array.isArray(inputs.subnets) && inputs.subnets.length < 2)
      yield failure("subnets", "At least two subnets in two different Availability Zones must be specified");
    const logs = objectOf(inputs.accessLogs);
    if (logs.enabled === true && !isGiven(logs.bucket))
      yield failure(["accessLogs", "bucket"], "is required: set it");
  },
  *"lb/targetGroup"(inputs) {
    if (inputs.targetType === "lambda") return;
    for (const name of ["port", "protocol", "vpcId"]) {
      if (!isGiven(inputs[name]))
        yield failure(
          name,
          `is required by the target type ${textOf(inputs.targetType) ?? "instance"}: set it`,
        );
    }
    const { interval, timeout } = objectOf(inputs.healthCheck);
    if (typeof interval === "number" && typeof timeout === "number" && timeout >= interval)
      yield failure(
        ["healthCheck", "timeout"],
        `must be less than the interval, ${interval}, not ${timeout}`,
      );
  },
  *"lb/listener"(inputs) {
    const protocol = textOf(inputs.protocol);
    const isSecure = protocol === "HTTPS" || protocol === "TLS";
    if (isSecure && !isGiven(inputs.certificateArn))
      yield failure("certificateArn", `A certificate must be specified for ${protocol} listeners`);
    if (protocol === "HTTP" && isGiven(inputs.certificateArn))
      yield failure("certificateArn", "is not for HTTP listeners: use HTTPS");
    yield* actionFailures("defaultActions", inputs.defaultActions);
  },
  *"lb/listenerRule"(inputs) {
    const priority = numberOf(inputs.priority);
    if (priority !== undefined && (priority < 1 || priority > 50_000))
      yield failure("priority", `must be between 1 and 50000, not ${priority}`);
    yield* actionFailures("actions", inputs.actions);
  },
  *"appautoscaling/target"(inputs) {
    const [least, most] = [numberOf(inputs.minCapacity), numberOf(inputs.maxCapacity)];
    if (least !== undefined && most !== undefined && least > most)
      yield failure("minCapacity", `must not exceed maxCapacity, ${most}, not ${least}`);
    const [namespace, dimension] = [textOf(inputs.serviceNamespace), textOf(inputs.scalableDimension)];
    if (namespace !== undefined && dimension !== undefined && !dimension.startsWith(`${namespace}:`))
      yield failure(
        "scalableDimension",
        `Unsupported service namespace, resource type or scalable dimension: "${dimension}" is none of ${namespace}`,
      );
  },
  *"appautoscaling/policy"(inputs) {
    const type = textOf(inputs.policyType) ?? "StepScaling";
    const settings: Readonly<Record<string, string>> = {
      PredictiveScaling: "predictiveScalingPolicyConfiguration",
      StepScaling: "stepScalingPolicyConfiguration",
      TargetTrackingScaling: "targetTrackingScalingPolicyConfiguration",
    };
    const needed = Object.hasOwn(settings, type) ? settings[type] : undefined;
    if (needed !== undefined && !isGiven(inputs[needed]))
      yield failure(needed, `is required by ${type}: set it`);
  },
};

function* environmentFailures(variables: PropertyMap) {
  const bytes = Buffer.byteLength(JSON.stringify(variables));
  yield* atMost(
    ["environment", "variables"],
    bytes,
    environmentBytes,
    "bytes",
    "keep settings in a parameter",
  );
  for (const name of Object.keys(variables)) {
    const path = ["environment", "variables", name];
    if (!/^[a-zA-Z]\w+$/.test(name)) yield failure(path, "must be named by letters, digits and _, 2 or more");
    if (reservedVariables.test(name)) yield failure(path, "is reserved by Lambda: rename it");
  }
}

function* fargateSizeFailures({ cpu, memory }: PropertyMap) {
  const range = fargateSizes[textOf(cpu) ?? ""];
  if (!isGiven(cpu) || !isGiven(memory)) {
    yield failure("cpu", "Fargate requires that 'cpu' and 'memory' be defined at the task level");
  } else if (textOf(cpu) !== undefined && textOf(memory) !== undefined) {
    const size = Number(memory);
    if (!range || size < range[0] || size > range[1] || size % (Number(cpu) >= 8192 ? 4096 : 512) !== 0)
      yield failure(
        "memory",
        `No Fargate configuration exists for given values: ${String(cpu)} CPU, ${String(memory)} memory`,
      );
  }
}

function* actionFailures(name: string, value: PropertyMap[string] | undefined) {
  const needs: Readonly<Record<string, readonly string[]>> = {
    forward: ["targetGroupArn", "forward"],
    redirect: ["redirect"],
    "fixed-response": ["fixedResponse"],
  };
  for (const [index, action] of objectsOf(value).entries()) {
    const wanted = needs[textOf(action.type) ?? ""];
    if (wanted && !wanted.some((member) => isGiven(action[member])))
      yield failure([name, index], `of type ${String(action.type)} needs ${wanted.join(" or ")}`);
  }
}
