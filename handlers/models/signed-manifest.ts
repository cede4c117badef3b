import { createHash } from "node:crypto";
import type { S3Client } from "@aws-sdk/client-s3";
import Type, { type Static } from "typebox";
import { SIGNING_ALGORITHM } from "../../programs/components/key-policy.ts";
import { PREFIX } from "../../programs/storage-layout.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { ModelPackage } from "./model-package.ts";
import { VersionDocuments } from "./version-documents.ts";

const Sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
const Texts = Type.Record(Type.String(), Type.String());

/** What the registry says of a version: as far as it decides what is served and where it came from. */
const Declaration = Type.Object({
  arn: Type.String(),
  createdAt: Type.String(),
  containers: Type.Array(
    Type.Object({ image: Type.String(), artifactUri: Type.String(), environment: Texts }),
  ),
  contentTypes: Type.Array(Type.String()),
  answerTypes: Type.Array(Type.String()),
  metadata: Texts,
});

/** What a signature vouches for: each artifact to the byte, each image by its digest, and what the registry says. */
export const SignedManifest = Type.Object({
  version: Type.Literal(1),
  model: Declaration,
  /** One for each artifact that the containers name. */
  artifacts: Type.Array(
    Type.Object({
      bucket: Type.String(),
      key: Type.String(),
      versionId: Type.String(),
      size: Type.Integer({ minimum: 0 }),
      sha256: Sha256,
    }),
  ),
  /** One for each image that the containers name. */
  images: Type.Array(
    Type.Object({ image: Type.String(), digest: Type.String({ pattern: "^sha256:[0-9a-f]{64}$" }) }),
  ),
});

export type SignedManifest = Static<typeof SignedManifest>;

/** A manifest with its signature, as it lies in the models bucket. */
export const SignatureDocument = Type.Object({
  version: Type.Literal(1),
  manifest: SignedManifest,
  /** Of the manifest's canonical form: what the signature is of. */
  sha256: Sha256,
  signature: Type.Object({
    algorithm: Type.Literal(SIGNING_ALGORITHM),
    /** The key that signed. Who verifies asks the pipeline's own key, whatever stands here. */
    keyArn: Type.String(),
    /** DER (ANSI X9.62), in base64. */
    value: Type.String({ pattern: "^[A-Za-z0-9+/]+={0,2}$" }),
  }),
});

export type SignatureDocument = Static<typeof SignatureDocument>;

export const signatureKey = (version: number) => `${PREFIX.signatures}${version}.json`;

export const signatureDocuments = (s3: S3Client, bucket: string) =>
  new VersionDocuments(s3, {
    bucket,
    schema: SignatureDocument,
    key: signatureKey,
    modelArn: ({ manifest }) => manifest.model.arn,
  });

export function declaration(model: ModelPackage): SignedManifest["model"] {
  return {
    arn: model.arn,
    createdAt: model.createdAt.toISOString(),
    containers: model.containers.map(({ image, artifactUri, environment }) => ({
      image,
      artifactUri,
      environment: { ...environment },
    })),
    contentTypes: [...model.contentTypes],
    answerTypes: [...model.answerTypes],
    metadata: { ...model.metadata },
  };
}

/**
 * SHA-256 of the manifest's canonical form (RFC 8785, in UTF-8). KMS signs this digest itself, so that anybody with the public key
 * can check the signature against the canonical text: `openssl dgst -sha256 -verify`.
 */
export const manifestDigest = (manifest: SignedManifest): Buffer =>
  createHash("sha256").update(canonicalJson(manifest)).digest();
