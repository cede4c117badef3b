import { credentialIn, isCredentialName } from "../credential-patterns.ts";
import { conditionOn, isDeny, RESOURCE_POLICIES, statementsIn } from "./documents.ts";
import { ALWAYS, each, eachKnown, type Policy } from "./policy.ts";
import type { StackResource } from "./stack.ts";
import { allTexts, at, json, list, missing, properties, text } from "./values.ts";

const FUNCTION = "aws:lambda/function:Function";
const TOPIC = "aws:sns/topic:Topic";
const QUEUE = "aws:sqs/queue:Queue";
const LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup";

function deniesInsecureTransport(policies: readonly StackResource[]): boolean {
  return policies.some((policy) =>
    statementsIn(policy, RESOURCE_POLICIES).some(
      (statement) =>
        isDeny(statement) && conditionOn(statement, "aws:SecureTransport")?.values[0] === "false",
    ),
  );
}

/** Names and values that a resource hands to code in plain text. */
function plainSettings({ type, properties: bag }: StackResource): readonly (readonly [string, unknown])[] {
  switch (type) {
    case FUNCTION:
      return Object.entries(properties(at(bag, "environment.variables")));
    case "aws:codebuild/project:Project":
      return list(at(bag, "environment.environmentVariables"))
        .filter((variable) => [undefined, "PLAINTEXT"].includes(text(at(variable, "type"))))
        .map((variable) => [String(at(variable, "name")), at(variable, "value")] as const);
    case "aws:ecs/taskDefinition:TaskDefinition":
      return list(json(bag.containerDefinitions))
        .flatMap((container) => list(at(container, "environment")))
        .map((variable) => [String(at(variable, "name")), at(variable, "value")] as const);
    default:
      return [];
  }
}

/** Names a place where the secret is, or switches something: no secret itself. */
function isReference(value: string): boolean {
  return value === "" || /^(arn:|\/|true$|false$|\d+$|alias\/)/.test(value);
}

// What code and services read, where a secret has no business. Policy documents and the like hold no settings.
const TEXT_HOLDERS = {
  "aws:sagemaker/pipeline:Pipeline": "pipelineDefinition",
  "aws:sfn/stateMachine:StateMachine": "definition",
  "aws:ssm/parameter:Parameter": "insecureValue",
  "aws:ec2/launchTemplate:LaunchTemplate": "userData",
  "aws:ec2/instance:Instance": "userData",
  "aws:sagemaker/notebookInstanceLifecycleConfiguration:NotebookInstanceLifecycleConfiguration": "onStart",
  "aws:glue/job:Job": "defaultArguments",
} as const satisfies Record<string, string>;

const SETTING_HOLDERS = [FUNCTION, "aws:codebuild/project:Project", "aws:ecs/taskDefinition:TaskDefinition"];

function decoded(value: string): string {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(value) && value.length % 4 === 0
    ? Buffer.from(value, "base64").toString("utf8")
    : value;
}

/** What is said where others can hear it: settings, logs, alerts, messages. */
export const channelPolicies: readonly Policy[] = [
  {
    id: "no-secrets-in-plain-text",
    title: "No credential stands in an environment variable, a definition or a parameter",
    text: "Whoever may describe the resource reads them, and they stay in every version and log of it.",
    phase: "infrastructure",
    severity: "critical",
    levels: ALWAYS,
    controls: {
      config: ["codebuild-project-envvar-awscred-check", "ecs-no-environment-secrets"],
      fsbp: ["CodeBuild.2", "ECS.8"],
      nist: ["IA-5", "IA-5(7)", "SA-3"],
    },
    remedy: "Keep it in Secrets Manager and hand over its ARN",
    check: (stack) => [
      ...eachKnown(SETTING_HOLDERS, (resource) =>
        plainSettings(resource)
          .filter(([name, value]) => {
            const known = text(value);
            if (known === undefined) return false;
            return credentialIn(known) !== undefined || (isCredentialName(name) && !isReference(known));
          })
          .map(([name]) => `Variable ${name} holds one`),
      )(stack),
      ...eachKnown(Object.keys(TEXT_HOLDERS), ({ type, properties: bag }) => {
        const value = bag[TEXT_HOLDERS[type as keyof typeof TEXT_HOLDERS]];
        const found = allTexts(json(value) ?? value)
          .map((line) => credentialIn(decoded(line)))
          .find((what) => what !== undefined);
        return found === undefined ? undefined : `It holds ${found}`;
      })(stack),
    ],
  },
  {
    id: "log-group-encrypted",
    title: "Every log group is encrypted with a customer managed key",
    text: "Logs repeat what went wrong with data, and so the data.",
    phase: "infrastructure",
    severity: "medium",
    levels: ALWAYS,
    controls: { config: ["cloudwatch-log-group-encrypted"], nist: ["AU-9", "SC-28"] },
    remedy: "Set kmsKeyId on the log group",
    check: each([LOG_GROUP], ({ properties: bag }) => missing(bag.kmsKeyId)),
  },
  {
    id: "log-group-retention-set",
    title: "Every log group ends its events",
    text: "Without a retention logs are kept, paid for and answerable for without an end.",
    phase: "infrastructure",
    severity: "medium",
    levels: ALWAYS,
    controls: { config: ["cw-loggroup-retention-period-check"], fsbp: ["CloudWatch.16"], nist: ["AU-11"] },
    remedy: "Set retentionInDays on the log group",
    check: each([LOG_GROUP], ({ properties: { retentionInDays: days } }) => !(Number(days) > 0)),
  },
  {
    id: "sns-topic-encrypted",
    title: "Every topic is encrypted with a customer managed key",
    text: "Alarms and budgets can't publish through the key that AWS manages, and nobody can withdraw it.",
    phase: "infrastructure",
    severity: "medium",
    levels: ALWAYS,
    controls: { config: ["sns-encrypted-kms"], fsbp: ["SNS.1"], nist: ["SC-28"] },
    remedy: "Set kmsMasterKeyId to a key whose policy lets the publishing services use it",
    check: each([TOPIC], ({ properties: bag }) => {
      const key = text(bag.kmsMasterKeyId);
      if (missing(bag.kmsMasterKeyId)) return "It has no key";
      return key === "alias/aws/sns" ? "Its key is AWS's own, through which no alarm can publish" : undefined;
    }),
  },
  {
    id: "sns-deny-insecure-transport",
    title: "Every topic refuses requests without TLS, and every subscription is delivered by TLS or e-mail",
    text: "Alerts tell an attacker what was noticed and what wasn't.",
    phase: "infrastructure",
    severity: "medium",
    levels: ALWAYS,
    controls: { nist: ["SC-8"] },
    remedy: "Deny publishing when aws:SecureTransport is false; subscribe https, never http",
    check: (stack) => [
      ...each(
        [TOPIC],
        (topic) =>
          !deniesInsecureTransport(stack.referring("aws:sns/topicPolicy:TopicPolicy", "arn", topic)) &&
          "It doesn't refuse plain HTTP",
      )(stack),
      ...each(
        ["aws:sns/topicSubscription:TopicSubscription"],
        ({ properties: bag }) => bag.protocol === "http" && "It is delivered by plain HTTP",
      )(stack),
    ],
  },
  {
    id: "sqs-queue-encrypted",
    title: "Every queue is encrypted",
    text: "Messages wait in a queue for days; a dead-letter queue holds what nobody could process.",
    phase: "infrastructure",
    severity: "medium",
    levels: ALWAYS,
    controls: { fsbp: ["SQS.1"], nist: ["SC-28"] },
    remedy: "Set kmsMasterKeyId, or sqsManagedSseEnabled where messages hold no data",
    check: each(
      [QUEUE],
      ({ properties: bag }) => missing(bag.kmsMasterKeyId) && bag.sqsManagedSseEnabled !== true,
    ),
  },
  {
    id: "sqs-deny-insecure-transport",
    title: "Every queue refuses requests without TLS",
    text: "Messages name objects and failures, and can be forged on their way.",
    phase: "infrastructure",
    severity: "medium",
    levels: ALWAYS,
    controls: { nist: ["SC-8"] },
    remedy: "Add a statement to the queue policy that denies everything when aws:SecureTransport is false",
    check: each(
      [QUEUE],
      (queue, stack) =>
        !deniesInsecureTransport(stack.referring("aws:sqs/queuePolicy:QueuePolicy", "queueUrl", queue)),
    ),
  },
];
