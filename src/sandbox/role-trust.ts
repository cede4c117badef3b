import { AwsError } from "./aws-error.ts";
import type { Intent } from "./preconditions/intent.ts";
import { valuesAt } from "./values.ts";

const role = "aws:iam/role:Role";

/** Roles that AWS tries to assume as soon as they are named, and the service that must be trusted by them. */
export const trusted: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "apigateway/account": { cloudwatchRoleArn: "apigateway.amazonaws.com" },
  "backup/restoreTestingSelection": { iamRoleArn: "backup.amazonaws.com" },
  "backup/selection": { iamRoleArn: "backup.amazonaws.com" },
  "cfg/recorder": { roleArn: "config.amazonaws.com" },
  "cloudtrail/trail": { cloudWatchLogsRoleArn: "cloudtrail.amazonaws.com" },
  "codebuild/project": { serviceRole: "codebuild.amazonaws.com" },
  "codedeploy/deploymentGroup": { serviceRoleArn: "codedeploy.amazonaws.com" },
  "codepipeline/pipeline": { roleArn: "codepipeline.amazonaws.com" },
  "cloudwatch/eventTarget": { roleArn: "events.amazonaws.com" },
  "ec2/flowLog": { iamRoleArn: "vpc-flow-logs.amazonaws.com" },
  "ecs/taskDefinition": {
    executionRoleArn: "ecs-tasks.amazonaws.com",
    taskRoleArn: "ecs-tasks.amazonaws.com",
  },
  "fis/experimentTemplate": { roleArn: "fis.amazonaws.com" },
  "glue/crawler": { role: "glue.amazonaws.com" },
  "glue/job": { roleArn: "glue.amazonaws.com" },
  "lambda/function": { role: "lambda.amazonaws.com" },
  "s3/bucketReplicationConfig": { role: "s3.amazonaws.com" },
  "sagemaker/featureGroup": { roleArn: "sagemaker.amazonaws.com" },
  "sagemaker/mlflowApp": { roleArn: "sagemaker.amazonaws.com" },
  "sagemaker/mlflowTrackingServer": { roleArn: "sagemaker.amazonaws.com" },
  "sagemaker/model": { executionRoleArn: "sagemaker.amazonaws.com" },
  "sagemaker/notebookInstance": { roleArn: "sagemaker.amazonaws.com" },
  "sagemaker/pipeline": { roleArn: "sagemaker.amazonaws.com" },
  "sagemaker/dataQualityJobDefinition": { roleArn: "sagemaker.amazonaws.com" },
  "scheduler/schedule": { "target.roleArn": "scheduler.amazonaws.com" },
  "sfn/stateMachine": { roleArn: "states.amazonaws.com" },
  "synthetics/canary": { executionRoleArn: "lambda.amazonaws.com" },
};

/** The error when a role named by the inputs does not trust the service that shall use it. Other accounts' roles pass. */
export async function missingTrust(kind: string, intent: Intent): Promise<AwsError | undefined> {
  for (const [property, service] of Object.entries(trusted[kind] ?? {})) {
    for (const arn of valuesAt(intent.inputs, property.split("."))) {
      if (typeof arn !== "string") continue;
      const found = await intent.store.findAnywhere(role, intent.account, arn);
      const trust = found?.outputs.assumeRolePolicy;
      if (typeof trust !== "string" || trust.includes(service)) continue;
      return new AwsError(
        kind.startsWith("lambda/") ? "InvalidParameterValueException" : "ValidationException",
        `The role defined in ${property} (${arn}) cannot be assumed by ${service}: name that service in its assumeRolePolicy`,
      );
    }
  }
  return undefined;
}
