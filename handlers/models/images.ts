import { BatchGetImageCommand, type ECRClient } from "@aws-sdk/client-ecr";

/** All that an image can be, so that the digest is that of what the tag names and of no part of it. */
const MEDIA_TYPES = [
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
];

export interface ImageName {
  readonly registryId: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** The parts of an ECR image's name, or undefined where it is none. */
export function parseImage(image: string): ImageName | undefined {
  const match =
    /^(\d{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com\/([^:@]+)(?::([^@]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(
      image,
    );
  if (match === null) return undefined;
  const [, registryId = "", repository = "", tag, digest] = match;
  return {
    registryId,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  };
}

/**
 * The digest that an image's name leads to now, or undefined where the registry has no such image. `BatchGetImage` and not
 * `DescribeImages`: AWS's registries of built-in algorithms allow other accounts to pull, not to describe.
 */
export async function imageDigest(ecr: ECRClient, image: string): Promise<string | undefined> {
  const name = parseImage(image);
  if (name === undefined) return undefined;
  const { images = [] } = await ecr.send(
    new BatchGetImageCommand({
      registryId: name.registryId,
      repositoryName: name.repository,
      imageIds: [
        name.digest === undefined ? { imageTag: name.tag ?? "latest" } : { imageDigest: name.digest },
      ],
      acceptedMediaTypes: MEDIA_TYPES,
    }),
  );
  return images[0]?.imageId?.imageDigest;
}
