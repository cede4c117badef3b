import { ECRClient } from "@aws-sdk/client-ecr";
import { KMSClient } from "@aws-sdk/client-kms";
import { S3Client } from "@aws-sdk/client-s3";
import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import Type from "typebox";
import { Value } from "typebox/value";
import { describeModelPackage, modelVersion } from "../models/model-package.ts";
import { createAlerts } from "../runtime/alerts.ts";
import { awsClient } from "../runtime/aws.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createTelemetry } from "../runtime/telemetry.ts";
import { Refusal } from "./refusal.ts";
import { verifyModel } from "./verify.ts";

/** What the release machine sends. */
const Request = Type.Object({ modelPackageArn: Type.String() });

export interface Verified {
  readonly outcome: "verified";
  readonly modelPackageArn: string;
  /** SHA-256 of the signed manifest, in hexadecimal. */
  readonly sha256: string;
}

/** Lets a version pass to its release, or throws a `Refusal` after telling the critical topic. Can be asked again at any time. */
export function createHandler(env: Environment) {
  const {
    AIDLC_MODELS_BUCKET: modelsBucket,
    AIDLC_MODEL_GROUP: group,
    AIDLC_SIGNING_KEY: keyId,
  } = variables(env, ["AIDLC_MODELS_BUCKET", "AIDLC_MODEL_GROUP", "AIDLC_SIGNING_KEY"]);
  const { logger } = createTelemetry("verify-model", env);
  const alerts = createAlerts(env);
  const sagemaker = awsClient(SageMakerClient, env);
  const verifier = {
    s3: awsClient(S3Client, env),
    ecr: awsClient(ECRClient, env),
    kms: awsClient(KMSClient, env),
    modelsBucket,
    keyId,
  };

  async function tell(modelPackageArn: string, refusal: Refusal): Promise<void> {
    logger.error("Model is refused", { modelPackageArn, code: refusal.name });
    try {
      await alerts.publish("critical", {
        code: "model_refused",
        title: `A model is not released: ${refusal.name}`,
        detail: { modelPackageArn, reason: refusal.name },
        remedy: refusal.message,
      });
    } catch (error) {
      // The refusal stands, whoever hears of it.
      logger.error("The refusal could not be published", error as Error);
    }
  }

  return async (event: unknown): Promise<Verified> => {
    const model = modelVersion(Value.Parse(Request, event).modelPackageArn, group);
    try {
      const { sha256 } = await verifyModel(verifier, await describeModelPackage(sagemaker, model));
      logger.info("Model is as it was signed", { modelPackageArn: model.arn, sha256 });
      return { outcome: "verified", modelPackageArn: model.arn, sha256 };
    } catch (error) {
      if (error instanceof Refusal) await tell(model.arn, error);
      throw error;
    }
  };
}
