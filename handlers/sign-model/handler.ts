import { ECRClient } from "@aws-sdk/client-ecr";
import { KMSClient, SignCommand } from "@aws-sdk/client-kms";
import { S3Client } from "@aws-sdk/client-s3";
import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import { SIGNING_ALGORITHM } from "../../programs/components/key-policy.ts";
import { buildManifest, Unsignable } from "../models/build-manifest.ts";
import { describeModelPackage, type ModelVersion, versionOfEvent } from "../models/model-package.ts";
import {
  manifestDigest,
  type SignatureDocument,
  type SignedManifest,
  signatureDocuments,
} from "../models/signed-manifest.ts";
import { DocumentConflict } from "../models/version-documents.ts";
import { createAlerts } from "../runtime/alerts.ts";
import { awsClient } from "../runtime/aws.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createTelemetry } from "../runtime/telemetry.ts";

export interface Signed {
  readonly modelPackageArn: string;
  /** SHA-256 of the signed manifest, in hexadecimal. */
  readonly sha256: string;
}

/**
 * Signs a version once, when it is registered. A version that has a signature keeps it, however often the event comes: what
 * changed since is for the verification to find, not to be signed over. What can't be signed is alerted and thrown.
 */
export function createHandler(env: Environment) {
  const {
    AIDLC_MODELS_BUCKET: modelsBucket,
    AIDLC_MODEL_GROUP: group,
    AIDLC_SIGNING_KEY: keyId,
  } = variables(env, ["AIDLC_MODELS_BUCKET", "AIDLC_MODEL_GROUP", "AIDLC_SIGNING_KEY"]);
  const { logger } = createTelemetry("sign-model", env);
  const alerts = createAlerts(env);
  const sagemaker = awsClient(SageMakerClient, env);
  const s3 = awsClient(S3Client, env);
  const ecr = awsClient(ECRClient, env);
  const kms = awsClient(KMSClient, env);
  const signatures = signatureDocuments(s3, modelsBucket);

  async function sign(manifest: SignedManifest): Promise<SignatureDocument> {
    const digest = manifestDigest(manifest);
    const { Signature = new Uint8Array(), KeyId = "" } = await kms.send(
      new SignCommand({
        KeyId: keyId,
        Message: digest,
        MessageType: "DIGEST",
        SigningAlgorithm: SIGNING_ALGORITHM,
      }),
    );
    return {
      version: 1,
      manifest,
      sha256: digest.toString("hex"),
      signature: {
        algorithm: SIGNING_ALGORITHM,
        keyArn: KeyId,
        value: Buffer.from(Signature).toString("base64"),
      },
    };
  }

  async function signed(model: ModelVersion): Promise<SignatureDocument> {
    const known = await signatures.read(model);
    if (known !== undefined) return known;
    const registered = await describeModelPackage(sagemaker, model);
    const document = await sign(await buildManifest({ s3, ecr, modelsBucket }, registered));
    // Two deliveries at once both sign; the first signature that is written is the one.
    const kept = await signatures.keep(model, document);
    if (kept.sha256 === document.sha256) return kept;
    throw new Unsignable(`${model.arn} changed while it was signed: find out by whom, and train it anew`);
  }

  return async (event: unknown): Promise<Signed> => {
    const model = versionOfEvent(event, group);
    try {
      const { sha256 } = await signed(model);
      const outcome = { modelPackageArn: model.arn, sha256 };
      logger.info("Model is signed", outcome);
      return outcome;
    } catch (error) {
      if (error instanceof Unsignable || error instanceof DocumentConflict) {
        await alerts.publish("critical", {
          code: "model_not_signed",
          title: `Model version ${model.version} can't be signed`,
          detail: { modelPackageArn: model.arn, reason: error.name },
          remedy: error.message,
        });
      }
      throw error;
    }
  };
}
