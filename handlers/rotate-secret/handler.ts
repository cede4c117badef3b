import {
  DescribeSecretCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import { awsClient } from "../runtime/aws.ts";
import type { Environment } from "../runtime/environment.ts";
import {
  openPseudonymKeys,
  type PseudonymKeys,
  PseudonymKeysError,
  pseudonym,
  readPseudonymKeys,
  recognise,
  withNewerKey,
} from "../runtime/pseudonym-keys.ts";
import { createTelemetry } from "../runtime/telemetry.ts";

/** What Secrets Manager sends, once for each step (https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html). */
const RotationEvent = Type.Object({
  Step: Type.Enum(["createSecret", "setSecret", "testSecret", "finishSecret"]),
  SecretId: Type.String({ minLength: 1 }),
  ClientRequestToken: Type.String({ minLength: 32, maxLength: 64 }),
  /** Secrets Manager wants it back where it calls in the name of another identity. */
  RotationToken: Type.Optional(Type.String()),
});

type RotationEvent = Static<typeof RotationEvent>;

export class RotationRefused extends Error {
  override readonly name = "RotationRefused";
}

/**
 * Adds a newer key to those in the secret. Every step can be repeated: one that was done does nothing. Throws where the secret
 * isn't rotated as the step supposes, or where the new version would forget a key; Secrets Manager then ends the rotation, and the
 * current version stays current.
 */
export function createHandler(env: Environment) {
  const { logger } = createTelemetry("rotate-secret", env);
  const secrets = awsClient(SecretsManagerClient, env);

  return async (event: unknown): Promise<void> => {
    const rotation = Value.Parse(RotationEvent, event);
    const stages = await stagesOf(secrets, rotation);
    const { Step: step, ClientRequestToken: versionId } = rotation;
    if (stages[versionId]?.includes("AWSCURRENT")) {
      logger.info("The version is current already", { step, versionId });
      return;
    }
    if (step === "createSecret") await create(secrets, rotation);
    // setSecret has nobody to tell: no other system holds these keys.
    if (step === "testSecret") await test(secrets, rotation);
    if (step === "finishSecret") {
      await test(secrets, rotation);
      await finish(secrets, rotation, stages);
    }
    logger.info("Step done", { step, versionId });
  };
}

type Stages = Readonly<Record<string, readonly string[]>>;

async function stagesOf(
  secrets: SecretsManagerClient,
  { SecretId, ClientRequestToken }: RotationEvent,
): Promise<Stages> {
  const { RotationEnabled, VersionIdsToStages = {} } = await secrets.send(
    new DescribeSecretCommand({ SecretId }),
  );
  if (RotationEnabled !== true) {
    throw new RotationRefused("The secret is not set to be rotated: update the pipeline");
  }
  const stages = VersionIdsToStages[ClientRequestToken];
  if (stages === undefined || !(stages.includes("AWSPENDING") || stages.includes("AWSCURRENT"))) {
    throw new RotationRefused(
      `Version ${ClientRequestToken} is not the one that waits: begin the rotation anew`,
    );
  }
  return VersionIdsToStages;
}

async function create(
  secrets: SecretsManagerClient,
  { SecretId, ClientRequestToken, RotationToken }: RotationEvent,
): Promise<void> {
  if ((await readPseudonymKeys(secrets, SecretId, ClientRequestToken)) !== undefined) return;
  const now = new Date();
  // A secret without a value gets its first one as everywhere else, so that nobody who names somebody meanwhile uses a key that is
  // not in the new version.
  const current = await openPseudonymKeys(secrets, SecretId, now);
  try {
    await secrets.send(
      new PutSecretValueCommand({
        SecretId,
        ClientRequestToken,
        SecretString: JSON.stringify(withNewerKey(current, now)),
        VersionStages: ["AWSPENDING"],
        ...(RotationToken !== undefined && { RotationToken }),
      }),
    );
  } catch (error) {
    // The same step, started a second time, was faster; its key is as good.
    if (!(error instanceof ResourceExistsException)) throw error;
  }
}

async function test(
  secrets: SecretsManagerClient,
  { SecretId, ClientRequestToken }: RotationEvent,
): Promise<void> {
  const pending = await readPseudonymKeys(secrets, SecretId, ClientRequestToken);
  if (pending === undefined) {
    throw new RotationRefused(`Version ${ClientRequestToken} has no value: begin the rotation anew`);
  }
  const current = await readPseudonymKeys(secrets, SecretId);
  if (current !== undefined) assertKnowsAll(pending, current);
}

/** Throws where the newer keys don't recognise what one of the older named. */
function assertKnowsAll(newer: PseudonymKeys, older: PseudonymKeys): void {
  for (const key of older.keys) {
    const name = pseudonym({ version: 1, keys: [key] }, "somebody");
    if (!recognise(newer, "somebody", name)) {
      throw new PseudonymKeysError(`The new version forgot key ${key.id}: begin the rotation anew`);
    }
  }
}

async function finish(
  secrets: SecretsManagerClient,
  { SecretId, ClientRequestToken }: RotationEvent,
  stages: Stages,
): Promise<void> {
  const [current] = Object.entries(stages).find(([, labels]) => labels.includes("AWSCURRENT")) ?? [];
  await secrets.send(
    new UpdateSecretVersionStageCommand({
      SecretId,
      VersionStage: "AWSCURRENT",
      MoveToVersionId: ClientRequestToken,
      ...(current !== undefined && { RemoveFromVersionId: current }),
    }),
  );
}
