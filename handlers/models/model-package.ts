import { DescribeModelPackageCommand, type SageMakerClient } from "@aws-sdk/client-sagemaker";
import Type from "typebox";
import { Value } from "typebox/value";
import { TRANSFORM_METADATA } from "../../programs/storage-layout.ts";

/**
 * What EventBridge sends when a version is registered or its approval changes
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html#eventbridge-model-package).
 */
const ModelPackageEvent = Type.Object({
  "detail-type": Type.Literal("SageMaker Model Package State Change"),
  detail: Type.Object({ ModelPackageArn: Type.String() }),
});

/** A model version that isn't the pipeline's, or that was not registered by its SageMaker Pipeline. */
export class UnknownModelPackage extends Error {
  override readonly name = "UnknownModelPackage";
}

/** One version of the pipeline's model package group. */
export interface ModelVersion {
  readonly arn: string;
  /** Counted from 1 within the group. */
  readonly version: number;
}

/** The version that an ARN names. Throws `UnknownModelPackage` where it isn't of this group. */
export function modelVersion(arn: string, group: string): ModelVersion {
  const [, name, version] =
    /^arn:[^:]+:sagemaker:[^:]+:\d{12}:model-package\/([^/]+)\/([1-9]\d*)$/.exec(arn) ?? [];
  // SageMaker writes the group's name in small letters there.
  if (name !== group.toLowerCase()) {
    throw new UnknownModelPackage(`${arn} is no version of ${group}: name one of the pipeline's own`);
  }
  return { arn, version: Number(version) };
}

/** The version that an event of EventBridge is about. Throws where it is another kind of event or another pipeline's. */
export function versionOfEvent(event: unknown, group: string): ModelVersion {
  return modelVersion(Value.Parse(ModelPackageEvent, event).detail.ModelPackageArn, group);
}

export interface ModelContainer {
  readonly image: string;
  /** As SageMaker saw it at registration, where it tells. */
  readonly imageDigest?: string;
  /** `s3://` address of the artifact. */
  readonly artifactUri: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface ModelPackage extends ModelVersion {
  readonly createdAt: Date;
  readonly approval: string;
  readonly containers: readonly ModelContainer[];
  readonly contentTypes: readonly string[];
  readonly answerTypes: readonly string[];
  /** What the registration noted: execution, manifest, trigger, transform. */
  readonly metadata: Readonly<Record<string, string>>;
  /** `s3://` address of the evaluation report. */
  readonly evaluationUri?: string;
}

/** Names in the customer metadata of a version; the pipeline's definition and the features' transform write them. */
export const METADATA = {
  execution: "PipelineExecution",
  manifest: "InputManifest",
  trigger: "Trigger",
  transform: TRANSFORM_METADATA,
} as const;

/**
 * A version as the registry has it. Throws `UnknownModelPackage` where it names its artifact or image in a way that the pipeline's
 * definition never does.
 */
export async function describeModelPackage(
  sagemaker: SageMakerClient,
  { arn, version }: ModelVersion,
): Promise<ModelPackage> {
  const found = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
  const { InferenceSpecification: inference, CreationTime: createdAt } = found;
  const containers = (inference?.Containers ?? []).map(
    ({
      Image: image,
      ImageDigest: imageDigest,
      ModelDataUrl: artifactUri,
      Environment: environment = {},
    }) => {
      if (image === undefined || artifactUri === undefined) {
        throw new UnknownModelPackage(`${arn} has a container without image or ModelDataUrl: train it anew`);
      }
      return { image, artifactUri, environment, ...(imageDigest !== undefined && { imageDigest }) };
    },
  );
  if (containers.length === 0 || createdAt === undefined) {
    throw new UnknownModelPackage(`${arn} has nothing that could serve: train it anew`);
  }
  const evaluationUri = found.ModelMetrics?.ModelQuality?.Statistics?.S3Uri;
  return {
    arn,
    version,
    createdAt,
    approval: found.ModelApprovalStatus ?? "",
    containers,
    contentTypes: inference?.SupportedContentTypes ?? [],
    answerTypes: inference?.SupportedResponseMIMETypes ?? [],
    metadata: found.CustomerMetadataProperties ?? {},
    ...(evaluationUri !== undefined && { evaluationUri }),
  };
}
