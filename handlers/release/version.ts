import type { ECRClient } from "@aws-sdk/client-ecr";
import type { SageMakerClient } from "@aws-sdk/client-sagemaker";
import { isBuiltInImage } from "../../programs/built-in-algorithms.ts";
import type { ServingMode } from "../../programs/serving/endpoints.ts";
import { imageDigest } from "../models/images.ts";
import {
  describeModelPackage,
  METADATA,
  type ModelPackage,
  modelVersion,
  UnknownModelPackage,
} from "../models/model-package.ts";
import type { Version } from "./documents.ts";
import { ReleaseFailed } from "./failures.ts";
import type { CurrentSettings } from "./settings.ts";

const refused = (message: string, cause?: unknown) => new ReleaseFailed("VersionRefused", message, { cause });

/**
 * The version as the registry has it now. Throws `VersionRefused` unless it is approved and can be served as one container, and asked
 * in this mode.
 */
export async function approvedVersion(
  { sagemaker, ecr }: { readonly sagemaker: SageMakerClient; readonly ecr: ECRClient },
  modelPackageArn: string,
  { resources, rollout }: Pick<CurrentSettings, "resources" | "rollout">,
): Promise<Version> {
  const found = await describe(sagemaker, modelPackageArn, resources.modelPackageGroupName);
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
    ...(isBuiltInImage(image) && { transform: transformOf(found, rollout.mode) }),
  };
}

/** A built-in algorithm is asked with finished features, which only the gate before serverless endpoints can make. */
function transformOf({ version, metadata }: ModelPackage, mode: ServingMode): string {
  if (mode !== "serverless") {
    throw refused(
      `Version ${version} is of a built-in algorithm, which serving.mode ${mode} can't ask: use serverless`,
    );
  }
  const digest = metadata[METADATA.transform];
  if (digest === undefined) {
    throw refused(
      `Version ${version} is of a built-in algorithm and has no features: declare them and train anew`,
    );
  }
  return digest;
}

async function describe(sagemaker: SageMakerClient, modelPackageArn: string, group: string) {
  try {
    return await describeModelPackage(sagemaker, modelVersion(modelPackageArn, group));
  } catch (error) {
    if (error instanceof UnknownModelPackage) throw refused(error.message, error);
    throw error;
  }
}
