import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import {
  BUILD_IMAGE,
  type Buildspec,
  buildspecText,
  imageBuildspec,
  scanBuildspec,
  testBuildspec,
} from "../delivery/buildspecs.ts";
import { deliveryStages, STAGE } from "../delivery/stages.ts";
import { deliveredImages } from "../images.ts";
import { REPOSITORIES } from "../names.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import type { Tags } from "../tags.ts";
import { EventAlert } from "./event-alert.ts";
import { EventTrigger } from "./event-trigger.ts";
import type { PipelineAlerts } from "./pipeline-alerts.ts";
import type { PipelineRoles } from "./pipeline-roles.ts";

export interface DeliveryPipelineArgs {
  readonly setting: PipelineSetting;
  readonly roles: PipelineRoles;
  readonly alerts: PipelineAlerts;
  readonly logGroup: aws.cloudwatch.LogGroup;
  readonly releaseMachineArn: pulumi.Input<string>;
  readonly tags: Tags;
}

interface Project {
  readonly description: string;
  readonly role: "cicd" | "ci-check";
  readonly buildspec: pulumi.Input<Buildspec>;
  readonly minutes: number;
  /** Docker needs it; nothing else gets it. */
  readonly buildsImages?: boolean;
}

/**
 * From a source bundle in the account's artifact store to images that a training runs: scans, builds, tests, approval.
 *
 * Builds run outside of the pipeline's network in both profiles. They need package registries, which private subnets
 * without a NAT gateway do not reach, and they need no data: their roles reach source, artifacts and images only, so a
 * malicious dependency finds nothing to take.
 */
export class DeliveryPipeline extends pulumi.ComponentResource {
  readonly pipeline: aws.codepipeline.Pipeline;

  constructor(name: string, args: DeliveryPipelineArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:DeliveryPipeline", name, {}, opts);
    const { setting, roles, alerts, tags } = args;
    const { account, foundation, names } = setting;
    const built = Object.values(deliveredImages(setting));
    const kinds = REPOSITORIES.filter((kind) => built.includes(kind));
    const reports = new aws.codebuild.ReportGroup(
      "tests",
      {
        name: names.named("tests"),
        type: "TEST",
        exportConfig: { type: "NO_EXPORT" },
        deleteReports: true,
        tags,
      },
      { parent: this },
    );
    const project = (kind: string, described: Project) => this.project(kind, described, args);
    const projects = {
      scan: project("scan", {
        description: "Looks for credentials and for vulnerable dependencies",
        role: "ci-check",
        buildspec: scanBuildspec(),
        minutes: 20,
      }),
      test: project("test", {
        description: "Runs the team's tests",
        role: "ci-check",
        buildspec: reports.arn.apply(testBuildspec),
        minutes: 30,
      }),
      ...(kinds.length > 0 && {
        images: project("images", {
          description: "Builds the images and waits for their scans",
          role: "cicd",
          buildspec: imageBuildspec(kinds),
          minutes: 60,
          buildsImages: true,
        }),
      }),
    };
    this.pipeline = new aws.codepipeline.Pipeline(
      name,
      {
        name: names.delivery,
        pipelineType: "V2",
        // A newer bundle overtakes one that waits for approval.
        executionMode: "SUPERSEDED",
        roleArn: roles.of("delivery").readyArn,
        artifactStores: [
          {
            type: "S3",
            location: foundation.artifacts.bucket.name,
            encryptionKey: { type: "KMS", id: foundation.artifacts.keyArn },
          },
        ],
        stages: deliveryStages({
          source: { bucket: foundation.artifacts.bucket.name, key: names.sourceKey },
          projects: {
            scan: projects.scan.name,
            test: projects.test.name,
            ...(projects.images !== undefined && { images: projects.images.name }),
          },
          approval: {
            topicArn: alerts.topics.warning.publishableArn,
            reviewUrl: `https://${account.region}.console.aws.amazon.com/codesuite/codepipeline/pipelines/${names.delivery}/view?region=${account.region}`,
          },
          releaseMachineArn: args.releaseMachineArn,
        }),
        tags,
      },
      { parent: this },
    );
    this.startOnSource(args);
    this.tellOfFailures(args);
    this.registerOutputs({ pipeline: this.pipeline.name });
  }

  private project(
    kind: string,
    { description, role, buildspec, minutes, buildsImages = false }: Project,
    { setting, roles, logGroup, tags }: DeliveryPipelineArgs,
  ): aws.codebuild.Project {
    const { account, foundation, names } = setting;
    const variable = (name: string, value: string) => ({ name, value, type: "PLAINTEXT" });
    return new aws.codebuild.Project(
      kind,
      {
        name: names.named(kind),
        description,
        serviceRole: roles.of(role).readyArn,
        source: {
          type: "CODEPIPELINE",
          buildspec: pulumi.output(buildspec).apply(buildspecText),
        },
        artifacts: { type: "CODEPIPELINE" },
        encryptionKey: foundation.artifacts.keyArn,
        environment: {
          type: "LINUX_CONTAINER",
          computeType: "BUILD_GENERAL1_SMALL",
          image: BUILD_IMAGE,
          imagePullCredentialsType: "CODEBUILD",
          privilegedMode: buildsImages,
          environmentVariables: buildsImages
            ? [
                variable("REGISTRY", `${account.accountId}.dkr.ecr.${account.region}.amazonaws.com`),
                variable("REPOSITORIES", names.repositories),
              ]
            : [],
        },
        logsConfig: {
          cloudwatchLogs: { status: "ENABLED", groupName: logGroup.name, streamName: kind },
          s3Logs: { status: "DISABLED" },
        },
        buildTimeout: minutes,
        queuedTimeout: 60,
        // One bundle at a time; more would only cost at the same time.
        concurrentBuildLimit: 1,
        projectVisibility: "PRIVATE",
        tags,
      },
      { parent: this },
    );
  }

  private startOnSource({ setting, roles, alerts, tags }: DeliveryPipelineArgs): void {
    const { foundation, names } = setting;
    new EventTrigger(
      "source-arrived",
      {
        name: names.named("source-arrived"),
        description: "A source bundle arrived",
        pattern: {
          source: ["aws.s3"],
          "detail-type": ["Object Created"],
          detail: {
            bucket: { name: [foundation.artifacts.bucket.name] },
            object: { key: [names.sourceKey] },
          },
        },
        targets: { delivery: { arn: this.pipeline.arn, roleArn: roles.of("starts").readyArn } },
        deadLetterQueueArn: alerts.deadLetters.sendableArn,
        tags,
      },
      { parent: this },
    );
  }

  /** A new CodePipeline starts at once, and finds no source yet: that is no failure to tell anybody of. */
  private tellOfFailures({ setting, roles, alerts, tags }: DeliveryPipelineArgs): void {
    const { names, team, pipeline } = setting;
    new EventAlert(
      "delivery-failed",
      {
        name: names.named("delivery-failed"),
        description: "A delivery of code failed",
        pattern: {
          source: ["aws.codepipeline"],
          "detail-type": ["CodePipeline Stage Execution State Change"],
          detail: {
            pipeline: [names.delivery],
            stage: [{ "anything-but": [STAGE.source] }],
            state: ["FAILED"],
          },
        },
        topicArn: alerts.topics.warning.publishableArn,
        roleArn: roles.of("alerts").readyArn,
        deadLetterQueueArn: alerts.deadLetters.sendableArn,
        message: {
          paths: { stage: "$.detail.stage", execution: "$.detail.execution-id" },
          text: `Delivery of code for ${team}/${pipeline} failed at <stage>: execution <execution>`,
        },
        tags,
      },
      { parent: this },
    );
  }
}
