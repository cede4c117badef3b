import { parseJson } from "./json-text.ts";
import { isMap, type PropertyMap, type PropertyValue, valuesAt } from "./values.ts";

/** A name, id or ARN within a text, and the types of which it must be one. */
export interface EmbeddedReference {
  readonly property: string;
  readonly value: PropertyValue | undefined;
  readonly types: readonly string[];
}

type Finder = (inputs: PropertyMap) => Iterable<EmbeddedReference>;

const lambda = "aws:lambda/function:Function";
const queue = "aws:sqs/queue:Queue";
const bucket = "aws:s3/bucket:Bucket";
const repository = "aws:ecr/repository:Repository";
const endpoint = "aws:sagemaker/endpoint:Endpoint";
const alarms = ["aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm"];

/** What an ARN within a document may stand for. */
const anything = [
  lambda,
  queue,
  bucket,
  ...alarms,
  "aws:codebuild/project:Project",
  "aws:codepipeline/pipeline:Pipeline",
  "aws:dynamodb/table:Table",
  "aws:ecs/cluster:Cluster",
  "aws:ecs/service:Service",
  "aws:iam/role:Role",
  "aws:kms/key:Key",
  "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
  "aws:sagemaker/pipeline:Pipeline",
  "aws:sfn/stateMachine:StateMachine",
  "aws:sns/topic:Topic",
];

const one = (property: string, value: PropertyValue | undefined, ...types: string[]): EmbeddedReference => ({
  property,
  value,
  types,
});

const text = (value: PropertyValue | undefined): string => (typeof value === "string" ? value : "");

function first(value: PropertyValue | undefined, ...path: string[]): PropertyValue | undefined {
  return valuesAt(value, path)[0];
}

/** `arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<arn>/invocations` and its likes. */
function* integrationTarget(property: string, uri: PropertyValue | undefined): Iterable<EmbeddedReference> {
  const [, fn] = /:lambda:path\/[\d-]+\/functions\/(arn:[^/]+)\//.exec(text(uri)) ?? [];
  if (fn !== undefined) yield one(property, fn, lambda);
  const [, name] = /:runtime\.sagemaker:path\/+endpoints\/([^/]+)\//.exec(text(uri)) ?? [];
  if (name !== undefined) yield one(property, name, endpoint);
  const [, queueName] = /:sqs:path\/\d+\/([^/]+)$/.exec(text(uri)) ?? [];
  if (queueName !== undefined) yield one(property, queueName, queue);
}

/** An image in the registry of an account: its repository. */
function* ownImage(property: string, uri: PropertyValue | undefined): Iterable<EmbeddedReference> {
  const [, , name] = /^(\d{12})\.dkr\.ecr\.[\w-]+\.amazonaws\.com\/([^:@]+)/.exec(text(uri)) ?? [];
  // Images that AWS publishes lie in accounts of its own: the account of the URI decides, as an ARN's does.
  const [account = "", , , region = ""] = text(uri).split(/[./]/);
  if (name !== undefined) {
    yield one(property, `arn:aws:ecr:${region}:${account}:repository/${name}`, repository);
  }
}

function bucketOfLocation(location: PropertyValue | undefined): string {
  return text(location)
    .replace(/^arn:[^:]*:s3:::/, "")
    .split("/")[0] as string;
}

function* documentReferences(property: string, value: PropertyValue): Iterable<EmbeddedReference> {
  if (typeof value === "string") {
    if (/^arn:[\w-]+:\w+:[\w-]*:\d{12}:/.test(value)) yield one(property, value, ...anything);
    const [, name] = /^s3:\/\/([a-z0-9.-]+)(\/|$)/.exec(value) ?? [];
    if (name !== undefined) yield one(property, name, bucket);
    yield* ownImage(property, value);
  } else if (Array.isArray(value)) {
    for (const item of value) yield* documentReferences(property, item);
  } else if (isMap(value)) {
    for (const [name, member] of Object.entries(value)) {
      const type = Object.hasOwn(namedInDocuments, name) ? namedInDocuments[name] : undefined;
      if (type !== undefined && typeof member === "string" && !member.startsWith("arn:")) {
        yield one(property, member.startsWith("https:") ? member : member.split(":")[0], type);
      } else yield* documentReferences(property, member);
    }
  }
}

/** Members of state machines' and pipelines' definitions that name a resource of the same account. */
const namedInDocuments: Readonly<Record<string, string>> = {
  FunctionName: lambda,
  ModelPackageGroupName: "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
  QueueUrl: queue,
};

const inDocument =
  (property: string): Finder =>
  (inputs) => {
    const document = parseJson(inputs[property]);
    return document === undefined ? [] : documentReferences(property, document);
  };

function* deadLetterQueue(inputs: PropertyMap): Iterable<EmbeddedReference> {
  const policy = parseJson(inputs.redrivePolicy);
  yield one("redrivePolicy", first(policy, "deadLetterTargetArn"), queue);
  for (const source of valuesAt(parseJson(inputs.redriveAllowPolicy), ["sourceQueueArns"])) {
    yield one("redriveAllowPolicy", source, queue);
  }
}

function* codeBuildReferences(inputs: PropertyMap): Iterable<EmbeddedReference> {
  for (const name of ["source", "secondarySources", "artifacts", "secondaryArtifacts", "cache"]) {
    for (const part of valuesAt(inputs[name], [])) {
      if (isMap(part) && part.type === "S3") {
        yield one(`${name}.location`, bucketOfLocation(part.location), bucket);
      }
    }
  }
  const logs = first(inputs, "logsConfig", "s3Logs");
  if (isMap(logs) && logs.status === "ENABLED") {
    yield one("logsConfig.s3Logs.location", bucketOfLocation(logs.location), bucket);
  }
  yield* ownImage("environment.image", first(inputs, "environment", "image"));
  for (const variable of valuesAt(inputs, ["environment", "environmentVariables"])) {
    if (!isMap(variable)) continue;
    const property = "environment.environmentVariables";
    if (variable.type === "PARAMETER_STORE") {
      yield one(property, variable.value, "aws:ssm/parameter:Parameter");
    }
    if (variable.type === "SECRETS_MANAGER") yield one(property, ...secretOf(variable.value));
  }
}

/** A secret's name or ARN, without the JSON key, version stage and version that may follow it. */
function secretOf(value: PropertyValue | undefined): [string, string] {
  const parts = text(value).split(":");
  const secret = parts[0] === "arn" ? parts.slice(0, 7).join(":") : parts[0];
  return [secret ?? "", "aws:secretsmanager/secret:Secret"];
}

/** By the action's provider: which settings name a resource. */
const actionTargets: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  CodeBuild: { ProjectName: ["aws:codebuild/project:Project"] },
  CodeDeploy: { ApplicationName: ["aws:codedeploy/application:Application"] },
  CodeDeployToECS: { ApplicationName: ["aws:codedeploy/application:Application"] },
  CodeStarSourceConnection: {
    ConnectionArn: [
      "aws:codeconnections/connection:Connection",
      "aws:codestarconnections/connection:Connection",
    ],
  },
  ECR: { RepositoryName: [repository] },
  Lambda: { FunctionName: [lambda] },
  Manual: { NotificationArn: ["aws:sns/topic:Topic"] },
  S3: { S3Bucket: [bucket], BucketName: [bucket] },
  StepFunctions: { StateMachineArn: ["aws:sfn/stateMachine:StateMachine"] },
};

function* codePipelineReferences(inputs: PropertyMap): Iterable<EmbeddedReference> {
  for (const action of valuesAt(inputs, ["stages", "actions"])) {
    if (!isMap(action) || !isMap(action.configuration)) continue;
    for (const [setting, types] of Object.entries(actionTargets[text(action.provider)] ?? {})) {
      yield one(`stages.actions.configuration.${setting}`, action.configuration[setting], ...types);
    }
  }
}

function* containerReferences(inputs: PropertyMap): Iterable<EmbeddedReference> {
  const property = "containerDefinitions";
  for (const container of valuesAt(parseJson(inputs[property]), [])) {
    if (!isMap(container)) continue;
    yield* ownImage(`${property}.image`, container.image);
    const options = first(container, "logConfiguration", "options");
    if (isMap(options) && options["awslogs-create-group"] !== "true") {
      yield one(`${property}.logConfiguration`, options["awslogs-group"], "aws:cloudwatch/logGroup:LogGroup");
    }
    for (const source of valuesAt(container, ["secrets", "valueFrom"])) {
      if (text(source).includes(":secret:")) yield one(`${property}.secrets`, ...secretOf(source));
      else yield one(`${property}.secrets`, source, "aws:ssm/parameter:Parameter");
    }
  }
}

function* scalableResource({ serviceNamespace, resourceId }: PropertyMap): Iterable<EmbeddedReference> {
  const [kind, name, member] = text(resourceId).split("/");
  if (serviceNamespace === "sagemaker" && kind === "endpoint") yield one("resourceId", name, endpoint);
  if (serviceNamespace === "ecs") yield one("resourceId", member, "aws:ecs/service:Service");
  if (serviceNamespace === "dynamodb") yield one("resourceId", name, "aws:dynamodb/table:Table");
  if (serviceNamespace === "lambda") yield one("resourceId", text(resourceId).split(":")[1], lambda);
}

function* distributionReferences(inputs: PropertyMap): Iterable<EmbeddedReference> {
  const bucketDomain = /^([a-z0-9.-]+)\.s3[.-][\w.-]*amazonaws\.com$/;
  const logs = bucketDomain.exec(text(first(inputs, "loggingConfig", "bucket")));
  if (logs) yield one("loggingConfig.bucket", logs[1], bucket);
  for (const domain of valuesAt(inputs, ["origins", "domainName"])) {
    const [, name] = bucketDomain.exec(text(domain)) ?? [];
    if (name !== undefined) yield one("origins.domainName", name, bucket);
    const [, api] = /^([a-z0-9]{10})\.execute-api\./.exec(text(domain)) ?? [];
    if (api !== undefined) {
      yield one("origins.domainName", api, "aws:apigateway/restApi:RestApi", "aws:apigatewayv2/api:Api");
    }
  }
}

function* alarmsOfRule({ alarmRule }: PropertyMap): Iterable<EmbeddedReference> {
  for (const [, name] of text(alarmRule).matchAll(
    /\b(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*"?([^")]+?)"?\s*\)/g,
  )) {
    yield one("alarmRule", name, ...alarms);
  }
}

const finders: Readonly<Record<string, Finder>> = {
  "apigateway/authorizer": (inputs) => integrationTarget("authorizerUri", inputs.authorizerUri),
  "apigateway/integration": (inputs) => integrationTarget("uri", inputs.uri),
  "apigatewayv2/authorizer": (inputs) => integrationTarget("authorizerUri", inputs.authorizerUri),
  "appautoscaling/target": scalableResource,
  "backup/selection": function* ({ resources }) {
    for (const arn of valuesAt(resources, [])) {
      if (!text(arn).includes("*")) yield one("resources", arn, ...anything);
    }
  },
  "cfg/rule": function* (inputs) {
    const identifier = first(inputs, "source", "sourceIdentifier");
    if (text(identifier).startsWith("arn:")) yield one("source.sourceIdentifier", identifier, lambda);
  },
  "cloudfront/distribution": distributionReferences,
  "cloudwatch/compositeAlarm": alarmsOfRule,
  "cloudwatch/dashboard": inDocument("dashboardBody"),
  "codebuild/project": codeBuildReferences,
  "codepipeline/pipeline": codePipelineReferences,
  "ecs/taskDefinition": containerReferences,
  "fis/experimentTemplate": function* (inputs) {
    for (const arn of valuesAt(inputs, ["targets", "resourceArns"])) {
      yield one("targets.resourceArns", arn, ...anything);
    }
  },
  "lambda/function": (inputs) => ownImage("imageUri", inputs.imageUri),
  "sagemaker/pipeline": inDocument("pipelineDefinition"),
  "sfn/stateMachine": inDocument("definition"),
  "sns/topicSubscription": function* ({ protocol, endpoint: subscriber }) {
    if (protocol === "sqs") yield one("endpoint", subscriber, queue);
    if (protocol === "lambda") yield one("endpoint", subscriber, lambda);
  },
  "sqs/queue": deadLetterQueue,
  "sqs/redriveAllowPolicy": deadLetterQueue,
  "sqs/redrivePolicy": deadLetterQueue,
};

// Buckets that AWS publishes samples, images and containers' models in.
const bucketsOfAws = /^(aws|amazon|sagemaker|jumpstart)-|^s3$/;

/** Every `s3://bucket/…` among the inputs themselves: AWS finds a missing bucket only when something runs. */
function* locations(value: PropertyValue, property: string): Iterable<EmbeddedReference> {
  if (typeof value === "string") {
    const [, name = ""] = /^s3:\/\/([a-z0-9.-]+)(\/|$)/.exec(value) ?? [];
    if (name !== "" && !bucketsOfAws.test(name)) yield one(property, name, bucket);
  } else if (Array.isArray(value)) {
    for (const item of value) yield* locations(item, property);
  } else if (isMap(value)) {
    for (const [name, member] of Object.entries(value)) {
      yield* locations(member, property === "" ? name : `${property}.${name}`);
    }
  }
}

/** References that no property of their own holds: in URIs, documents and settings. */
export function* embeddedReferences(token: string, inputs: PropertyMap): Iterable<EmbeddedReference> {
  yield* finders[token.split(":")[1] ?? ""]?.(inputs) ?? [];
  yield* locations(inputs, "");
}
