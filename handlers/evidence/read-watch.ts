import {
  CloudTrailClient,
  GetEventSelectorsCommand,
  GetTrailCommand,
  GetTrailStatusCommand,
} from "@aws-sdk/client-cloudtrail";
import { CloudWatchClient, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { DescribeRuleCommand, EventBridgeClient } from "@aws-sdk/client-eventbridge";
import {
  DescribeModelPackageGroupCommand,
  DescribePipelineCommand,
  ListModelPackagesCommand,
  SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import { GetTopicAttributesCommand, SNSClient } from "@aws-sdk/client-sns";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { PipelineNames } from "../../programs/names.ts";
import { awsClient } from "../runtime/aws.ts";
import type { Environment } from "../runtime/environment.ts";
import type { AlarmFacts, ChannelFacts, Facts } from "./facts.ts";
import { statementsOf } from "./policies.ts";
import { each, reading } from "./reading.ts";

/** The rules by which changes of protections are told, and accepted data goes on its way. */
export const RULES = ["key-tampering", "guard-tampering", "accepted"] as const;
/** Queues that every pipeline has. */
const QUEUES = ["ingest", "baseline", "unprocessed", "dead-letters"] as const;

export function readTopics(env: Environment, arns: readonly string[]): Promise<ChannelFacts[]> {
  const sns = awsClient(SNSClient, env);
  return each(arns, async (TopicArn) => ({
    name: TopicArn.slice(TopicArn.lastIndexOf(":") + 1),
    attributes: await reading(async () => {
      const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn }));
      return (
        Attributes && {
          encrypted: Boolean(Attributes.KmsMasterKeyId),
          policy: statementsOf(Attributes.Policy ?? "{}"),
          subscribers: Number(Attributes.SubscriptionsConfirmed ?? 0),
        }
      );
    }),
  }));
}

/** `queueUrl`: where the account's queues are, which no call asks for. */
export function readQueues(
  env: Environment,
  names: PipelineNames,
  queueUrl: (name: string) => string,
): Promise<ChannelFacts[]> {
  const sqs = awsClient(SQSClient, env);
  return each(QUEUES, async (part) => ({
    name: names.named(part),
    attributes: await reading(async () => {
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: queueUrl(names.named(part)), AttributeNames: ["All"] }),
      );
      return (
        Attributes && {
          encrypted: Attributes.SqsManagedSseEnabled === "true" || Boolean(Attributes.KmsMasterKeyId),
          policy: statementsOf(Attributes.Policy ?? "{}"),
          subscribers: 0,
        }
      );
    }),
  }));
}

export function readRules(env: Environment, names: PipelineNames): Promise<Facts["rules"][number][]> {
  const events = awsClient(EventBridgeClient, env);
  return each(RULES, async (part) => ({
    name: names.named(part),
    state: await reading(
      async () => (await events.send(new DescribeRuleCommand({ Name: names.named(part) }))).State,
    ),
  }));
}

export function readLogGroups(env: Environment, names: PipelineNames): Promise<Facts["logGroups"]> {
  const logs = awsClient(CloudWatchLogsClient, env);
  return reading(async () => {
    const found: { name: string; encrypted: boolean; retentionDays: number | undefined }[] = [];
    for (let nextToken: string | undefined, isMore = true; isMore; ) {
      const page = await logs.send(
        new DescribeLogGroupsCommand({ logGroupNamePrefix: names.logGroup(""), nextToken }),
      );
      for (const { logGroupName = "", kmsKeyId, retentionInDays } of page.logGroups ?? []) {
        found.push({ name: logGroupName, encrypted: kmsKeyId !== undefined, retentionDays: retentionInDays });
      }
      nextToken = page.nextToken;
      isMore = nextToken !== undefined;
    }
    return found;
  });
}

export function readAlarms(env: Environment, names: PipelineNames): Promise<Facts["alarms"]> {
  const cloudWatch = awsClient(CloudWatchClient, env);
  return reading(async () => {
    const found: AlarmFacts[] = [];
    for (let NextToken: string | undefined, isMore = true; isMore; ) {
      const page = await cloudWatch.send(
        new DescribeAlarmsCommand({
          AlarmNamePrefix: `${names.prefix}-`,
          AlarmTypes: ["MetricAlarm", "CompositeAlarm"],
          NextToken,
        }),
      );
      for (const alarm of [...(page.MetricAlarms ?? []), ...(page.CompositeAlarms ?? [])]) {
        const metric = "Metrics" in alarm ? alarm.Metrics?.[0]?.MetricStat?.Metric : undefined;
        found.push({
          name: alarm.AlarmName ?? "",
          namespace: ("Namespace" in alarm ? alarm.Namespace : undefined) ?? metric?.Namespace ?? "",
          tells: alarm.ActionsEnabled !== false && (alarm.AlarmActions ?? []).length > 0,
        });
      }
      NextToken = page.NextToken;
      isMore = NextToken !== undefined;
    }
    return found;
  });
}

export async function readTrail(env: Environment, arn: string): Promise<Facts["trail"]> {
  const cloudTrail = awsClient(CloudTrailClient, env);
  return {
    arn,
    trail: await reading(async () => {
      const { Trail } = await cloudTrail.send(new GetTrailCommand({ Name: arn }));
      return (
        Trail && {
          validatesFiles: Trail.LogFileValidationEnabled === true,
          encrypted: Trail.KmsKeyId !== undefined,
        }
      );
    }),
    isLogging: await reading(
      async () => (await cloudTrail.send(new GetTrailStatusCommand({ Name: arn }))).IsLogging,
    ),
    recordedObjects: await reading(async () => {
      const { AdvancedEventSelectors = [] } = await cloudTrail.send(
        new GetEventSelectorsCommand({ TrailName: arn }),
      );
      return AdvancedEventSelectors.flatMap(({ FieldSelectors = [] }) => {
        const ofObjects = FieldSelectors.some(
          ({ Field, Equals }) => Field === "resources.type" && Equals?.includes("AWS::S3::Object"),
        );
        const arns = FieldSelectors.filter(({ Field }) => Field === "resources.ARN");
        return ofObjects ? arns.flatMap(({ StartsWith = [] }) => StartsWith) : [];
      });
    }),
  };
}

export async function readModels(
  env: Environment,
  names: PipelineNames,
): Promise<Pick<Facts, "models" | "training">> {
  const sageMaker = awsClient(SageMakerClient, env);
  const group = names.named("models");
  const pipeline = names.named("training");
  return {
    models: {
      group,
      described: await reading(async () => {
        const found = await sageMaker.send(
          new DescribeModelPackageGroupCommand({ ModelPackageGroupName: group }),
        );
        return found.ModelPackageGroupStatus;
      }),
      versions: await reading(async () => {
        let count = 0;
        let approved = 0;
        for (let NextToken: string | undefined, isMore = true; isMore; ) {
          const page = await sageMaker.send(
            new ListModelPackagesCommand({ ModelPackageGroupName: group, MaxResults: 100, NextToken }),
          );
          count += page.ModelPackageSummaryList?.length ?? 0;
          approved += (page.ModelPackageSummaryList ?? []).filter(
            ({ ModelApprovalStatus }) => ModelApprovalStatus === "Approved",
          ).length;
          NextToken = page.NextToken;
          isMore = NextToken !== undefined;
        }
        return { count, approved };
      }),
    },
    training: {
      name: pipeline,
      state: await reading(
        async () =>
          (await sageMaker.send(new DescribePipelineCommand({ PipelineName: pipeline }))).PipelineStatus,
      ),
    },
  };
}
