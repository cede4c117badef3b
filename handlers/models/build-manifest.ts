import type { ECRClient } from "@aws-sdk/client-ecr";
import type { S3Client } from "@aws-sdk/client-s3";
import { PREFIX } from "../../programs/storage-layout.ts";
import { imageDigest } from "./images.ts";
import type { ModelContainer, ModelPackage } from "./model-package.ts";
import { digestObject, headObject, parseS3Uri } from "./objects.ts";
import { declaration, type SignedManifest } from "./signed-manifest.ts";

/** A version that must not be signed: what it names is missing, or is not what was registered. */
export class Unsignable extends Error {
  override readonly name = "Unsignable";
}

export interface ManifestSources {
  readonly s3: S3Client;
  readonly ecr: ECRClient;
  readonly modelsBucket: string;
}

/**
 * The manifest of a version: reads every artifact to its end and asks for every image's digest. The same version gives the same
 * manifest. Throws `Unsignable`.
 */
export async function buildManifest(sources: ManifestSources, model: ModelPackage): Promise<SignedManifest> {
  const artifacts = [];
  for (const uri of new Set(model.containers.map(({ artifactUri }) => artifactUri))) {
    artifacts.push(await artifactOf(sources, model, uri));
  }
  const containers = new Map(model.containers.map((container) => [container.image, container]));
  const images = [];
  for (const container of containers.values()) images.push(await imageOf(sources, container));
  return { version: 1, model: declaration(model), artifacts, images };
}

async function artifactOf({ s3, modelsBucket }: ManifestSources, model: ModelPackage, uri: string) {
  const place = parseS3Uri(uri);
  if (place?.bucket !== modelsBucket || !place.key.startsWith(PREFIX.artifacts)) {
    throw new Unsignable(`${uri} is no artifact of the pipeline's trainings: train the model anew`);
  }
  const head = await headObject(s3, place);
  if (head === undefined) throw new Unsignable(`${uri} does not exist: train the model anew`);
  // What was evaluated was there before. S3 tells whole seconds.
  if (head.modifiedAt.getTime() > model.createdAt.getTime()) {
    throw new Unsignable(
      `${uri} was written after the model was registered: find out by whom (the trail's data events), and train it anew`,
    );
  }
  const { versionId } = head;
  return { ...place, versionId, ...(await digestObject(s3, { ...place, versionId })) };
}

async function imageOf({ ecr }: ManifestSources, { image, imageDigest: registered }: ModelContainer) {
  const digest = await imageDigest(ecr, image);
  if (digest === undefined)
    throw new Unsignable(`${image} does not exist: push it, then train the model anew`);
  if (registered !== undefined && registered !== digest) {
    throw new Unsignable(
      `${image} is ${digest} now and was ${registered} at registration: train the model anew`,
    );
  }
  return { image, digest };
}
