import type { ECRClient } from "@aws-sdk/client-ecr";
import type { SageMakerClient } from "@aws-sdk/client-sagemaker";
import { imageDigest } from "../models/images.ts";
import {
  describeModelPackage,
  METADATA,
  modelVersion,
  UnknownModelPackage,
} from "../models/model-package.ts";
import type { Version } from "./documents.ts";
import { ReleaseFailed } from "./failures.ts";

const refused = (message: string, cause?: unknown) => new ReleaseFailed("VersionRefused", message, { cause });

/** The version as the registry has it now. Throws `VersionRefused` unless it is approved and can be served as one container. */
export async function approvedVersion(
  { sagemaker, ecr }: { readonly sagemaker: SageMakerClient; readonly ecr: ECRClient },
  modelPackageArn: string,
  group: string,
): Promise<Version> {
  const found = await describe(sagemaker, modelPackageArn, group);
  const { version: number, approval, containers, metadata } = found;
  if (approval !== "Approved") {
    throw refused(`Version ${number} is ${approval}: somebody must approve it first`);
  }
  const [container, ...others] = containers;
  if (container === undefined || others.length > 0) {
    throw refused(`Version ${number} has ${containers.length} containers; one can be served`);
  }
  const { image, artifactUri, environment } = container;
  // Tags of the pipeline's repositories never move, so this is what was trained, and what verify-model has just proved.
  const digest = await imageDigest(ecr, image);
  if (digest === undefined) throw refused(`Version ${number}: the registry has no image ${image}`);
  const execution = metadata[METADATA.execution];
  return {
    modelPackageArn,
    number,
    repository: image.replace(/@.*$/, "").replace(/:[^/:]*$/, ""),
    imageDigest: digest,
    modelDataUrl: artifactUri,
    environment,
    ...(execution !== undefined && { execution }),
  };
}

async function describe(sagemaker: SageMakerClient, modelPackageArn: string, group: string) {
  try {
    return await describeModelPackage(sagemaker, modelVersion(modelPackageArn, group));
  } catch (error) {
    if (error instanceof UnknownModelPackage) throw refused(error.message, error);
    throw error;
  }
}
