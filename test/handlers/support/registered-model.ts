import { createHash } from "node:crypto";
import { CreateRepositoryCommand, ECRClient, PutImageCommand } from "@aws-sdk/client-ecr";
import { CreateAliasCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CreateModelPackageCommand,
  CreateModelPackageGroupCommand,
  CreatePipelineCommand,
  DescribeModelPackageCommand,
  type ModelApprovalStatus,
  SageMakerClient,
  UpdateModelPackageCommand,
} from "@aws-sdk/client-sagemaker";
import { pipelineImages } from "../../../programs/images.ts";
import type { RepositoryKind } from "../../../programs/names.ts";
import { executionManifest } from "../../../programs/storage-layout.ts";
import { emulatorClient, type PipelineInAws } from "./pipeline-in-aws.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

export const ROLE = "arn:aws:iam::123456789012:role/aidlc/somebody";

const EXECUTION = "b1d2f3a4c5e6";

/**
 * A pipeline's registry, SageMaker Pipeline, image repositories and signing key, as the programs make them, and versions in the registry as the
 * SageMaker Pipeline registers them.
 */
export async function registryOf(pipeline: PipelineInAws) {
  const { setting, keys } = pipeline;
  const { names } = setting;
  const env = pipeline.environmentOf("sign-model");
  const sagemaker = emulatorClient(SageMakerClient, env);
  const ecr = emulatorClient(ECRClient, env);
  const kms = emulatorClient(KMSClient, env);
  const group = names.named("models");
  await sagemaker.send(new CreateModelPackageGroupCommand({ ModelPackageGroupName: group }));
  await sagemaker.send(
    new CreatePipelineCommand({
      PipelineName: names.named("training"),
      RoleArn: ROLE,
      PipelineDefinition: "{}",
      ClientRequestToken: "0".repeat(32),
    }),
  );
  await kms.send(new CreateAliasCommand({ AliasName: names.keyAlias("signing"), TargetKeyId: keys.signing }));
  for (const kind of ["training", "inference"] as const) {
    await ecr.send(new CreateRepositoryCommand({ repositoryName: names.repository(kind) }));
  }
  /** Puts an image with this content under a tag; another content takes the tag over. */
  const pushImage = async (kind: RepositoryKind, tag: string, content: string): Promise<string> => {
    const { image } = await ecr.send(
      new PutImageCommand({
        repositoryName: names.repository(kind),
        imageTag: tag,
        imageManifest: JSON.stringify({
          schemaVersion: 2,
          mediaType: "application/vnd.docker.distribution.manifest.v2+json",
          layers: [{ size: content.length, digest: `sha256:${sha256(content)}` }],
        }),
      }),
    );
    return image?.imageId?.imageDigest ?? "";
  };
  const describe = (arn: string) =>
    sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));

  return {
    group,
    sagemaker,
    kms,
    pushImage,
    describe,
    /** Puts an artifact and registers it; every call makes the group's next version. */
    register: async (change: RegistrationChange = {}) => {
      const { artifact = Buffer.from("weights"), execution = EXECUTION, metadata = {} } = change;
      const artifactKey = `artifacts/${execution}/${names.jobPrefix("train")}-${execution}/output/model.tar.gz`;
      const versionId = await pipeline.put("models", artifactKey, artifact);
      const { ModelPackageArn: arn = "" } = await sagemaker.send(
        new CreateModelPackageCommand({
          ModelPackageGroupName: group,
          ModelApprovalStatus: "PendingManualApproval",
          InferenceSpecification: {
            Containers: [
              {
                Image: change.image ?? pipelineImages(setting).inference,
                ModelDataUrl: `s3://${pipeline.bucket("models")}/${artifactKey}`,
              },
            ],
            SupportedContentTypes: ["text/csv", "application/json"],
            SupportedResponseMIMETypes: ["text/csv", "application/json"],
          },
          ModelMetrics: {
            ModelQuality: {
              Statistics: {
                ContentType: "application/json",
                S3Uri: `s3://${pipeline.bucket("models")}/evaluations/${execution}/evaluation.json`,
              },
            },
          },
          CustomerMetadataProperties: {
            PipelineExecution: execution,
            InputManifest: `s3://${pipeline.bucket("validated")}/${executionManifest(execution)}`,
            Trigger: "manual",
            QualityGate: "accuracy >= 0.9",
            ...metadata,
          },
        }),
      );
      return { arn, version: Number(arn.split("/").at(-1)), artifactKey, versionId, execution };
    },
    decide: async (arn: string, status: ModelApprovalStatus, metadata?: Record<string, string>) => {
      // The emulator forgets the metadata of an update that doesn't repeat it; AWS keeps it.
      const { CustomerMetadataProperties: kept } = await describe(arn);
      await sagemaker.send(
        new UpdateModelPackageCommand({
          ModelPackageArn: arn,
          ModelApprovalStatus: status,
          CustomerMetadataProperties: { ...kept, ...metadata },
        }),
      );
    },
  };
}

interface RegistrationChange {
  readonly artifact?: Uint8Array;
  readonly execution?: string;
  readonly image?: string;
  readonly metadata?: Record<string, string>;
}

export type Registry = Awaited<ReturnType<typeof registryOf>>;

/** As EventBridge sends it (https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html). */
export function modelPackageEvent(arn: string) {
  const [, , , region = "", account = ""] = arn.split(":");
  const [, group = "", version = ""] = arn.split("/");
  return {
    version: "0",
    id: "844e2571-85d4-695f-b930-0153b71dcb42",
    "detail-type": "SageMaker Model Package State Change",
    source: "aws.sagemaker",
    account,
    time: "2026-03-01T17:00:14Z",
    region,
    resources: [arn],
    detail: {
      ModelPackageGroupName: group,
      ModelPackageVersion: Number(version),
      ModelPackageArn: arn,
      CreationTime: "2026-03-01T17:00:14Z",
      ModelPackageStatus: "Completed",
      ModelPackageStatusDetails: { ValidationStatuses: [], ImageScanStatuses: [] },
      CertifyForMarketplace: false,
      ModelApprovalStatus: "PendingManualApproval",
    },
  };
}
