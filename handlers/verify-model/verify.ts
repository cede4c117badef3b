import type { ECRClient } from "@aws-sdk/client-ecr";
import { type KMSClient, KMSInvalidSignatureException, VerifyCommand } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import { Value } from "typebox/value";
import { SIGNING_ALGORITHM } from "../../programs/components/key-policy.ts";
import { canonicalJson } from "../models/canonical-json.ts";
import { imageDigest } from "../models/images.ts";
import type { ModelPackage } from "../models/model-package.ts";
import { digestObject, headObject, s3Uri } from "../models/objects.ts";
import {
  declaration,
  manifestDigest,
  SignatureDocument,
  type SignedManifest,
  signatureKey,
} from "../models/signed-manifest.ts";
import { readDocument } from "../runtime/documents.ts";
import { Refusal } from "./refusal.ts";

export interface Verifier {
  readonly s3: S3Client;
  readonly ecr: ECRClient;
  readonly kms: KMSClient;
  readonly modelsBucket: string;
  /** The pipeline's own key, as alias, id or ARN. */
  readonly keyId: string;
}

const RETRAIN = "train the model anew";

/**
 * Answers the signed manifest of a version once everything that it vouches for is as it was signed: the signature by the pipeline's
 * own key, what the registry says, each image's digest, and each artifact to the byte. Throws a `Refusal`; changes nothing.
 */
export async function verifyModel(verifier: Verifier, model: ModelPackage): Promise<SignatureDocument> {
  if (model.approval !== "Approved") {
    throw new Refusal(
      "ModelNotApproved",
      `${model.arn} is ${model.approval || "undecided"}: have it approved first`,
    );
  }
  const document = await readSignature(verifier, model);
  await checkSignature(verifier, model, document);
  const { manifest } = document;
  if (canonicalJson(declaration(model)) !== canonicalJson(manifest.model)) {
    throw new Refusal(
      "ModelChanged",
      `${model.arn} says something else in the registry than it did when it was signed: look into the trail for UpdateModelPackage, then ${RETRAIN}`,
    );
  }
  for (const image of manifest.images) await checkImage(verifier, image);
  for (const artifact of manifest.artifacts) await checkArtifact(verifier, artifact);
  return document;
}

async function readSignature(
  { s3, modelsBucket }: Verifier,
  model: ModelPackage,
): Promise<SignatureDocument> {
  const place = { bucket: modelsBucket, key: signatureKey(model.version) };
  const found = await readDocument(s3, place).catch((error: unknown) => {
    if (error instanceof SyntaxError) throw malformed(s3Uri(place));
    throw error;
  });
  if (found === undefined) {
    throw new Refusal(
      "SignatureMissing",
      `${s3Uri(place)} does not exist: look why sign-model failed, then send it the event in the dead-letter queue again`,
    );
  }
  if (!Value.Check(SignatureDocument, found.value)) throw malformed(s3Uri(place));
  if (found.value.manifest.model.arn !== model.arn) {
    throw new Refusal(
      "SignatureOfAnotherModel",
      `${s3Uri(place)} is the signature of ${found.value.manifest.model.arn}: restore the version of the object that sign-model wrote`,
    );
  }
  return found.value;
}

const malformed = (uri: string) =>
  new Refusal(
    "SignatureMalformed",
    `${uri} is no signature document: restore the version that sign-model wrote`,
  );

async function checkSignature(
  { kms, keyId, modelsBucket }: Verifier,
  model: ModelPackage,
  { manifest, sha256, signature }: SignatureDocument,
): Promise<void> {
  const uri = `s3://${modelsBucket}/${signatureKey(model.version)}`;
  const digest = manifestDigest(manifest);
  if (digest.toString("hex") !== sha256) {
    throw new Refusal(
      "ManifestChanged",
      `The manifest in ${uri} is not the one that was signed: restore the version of the object that sign-model wrote`,
    );
  }
  if (!(await isValid(kms, keyId, digest, signature.value))) {
    throw new Refusal(
      "SignatureInvalid",
      `The signature in ${uri} is not one of the pipeline's key over this manifest: restore the version of the object that sign-model wrote`,
    );
  }
}

/** KMS throws for a wrong signature instead of answering so. */
async function isValid(kms: KMSClient, keyId: string, digest: Buffer, signature: string): Promise<boolean> {
  try {
    const { SignatureValid } = await kms.send(
      new VerifyCommand({
        KeyId: keyId,
        Message: digest,
        MessageType: "DIGEST",
        Signature: Buffer.from(signature, "base64"),
        SigningAlgorithm: SIGNING_ALGORITHM,
      }),
    );
    return SignatureValid === true;
  } catch (error) {
    if (error instanceof KMSInvalidSignatureException) return false;
    throw error;
  }
}

async function checkImage(
  { ecr }: Verifier,
  { image, digest }: SignedManifest["images"][number],
): Promise<void> {
  const current = await imageDigest(ecr, image);
  if (current === digest) return;
  throw new Refusal(
    "ImageChanged",
    `${image} is ${current ?? "missing"} now and was signed as ${digest}: push the signed image back under its tag, or ${RETRAIN}`,
  );
}

/** What is served is the current version of the key, so that must be the signed one. */
async function checkArtifact(
  { s3 }: Verifier,
  { bucket, key, versionId, size, sha256 }: SignedManifest["artifacts"][number],
): Promise<void> {
  const uri = s3Uri({ bucket, key });
  const head = await headObject(s3, { bucket, key });
  if (head === undefined) {
    throw new Refusal("ArtifactMissing", `${uri} does not exist: restore its version ${versionId}`);
  }
  if (head.versionId !== versionId) {
    throw new Refusal(
      "ArtifactReplaced",
      `${uri} is at version ${head.versionId} and ${versionId} was signed: find out who wrote it, and restore the signed version`,
    );
  }
  const content = await digestObject(s3, { bucket, key, versionId });
  if (content.size !== size) {
    throw new Refusal(
      "ArtifactSizeWrong",
      `${uri} has ${content.size} bytes and was signed with ${size}: ${RETRAIN}`,
    );
  }
  if (content.sha256 !== sha256) {
    throw new Refusal(
      "ArtifactChecksumWrong",
      `${uri} has SHA-256 ${content.sha256} and was signed with ${sha256}: ${RETRAIN}`,
    );
  }
}
