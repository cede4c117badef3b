import { randomUUID } from "node:crypto";
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { beforeAll, describe, expect, it } from "vitest";
import { createHandler } from "../../handlers/rotate-secret/handler.ts";
import {
  openPseudonymKeys,
  parsePseudonymKeys,
  pseudonym,
  recognise,
} from "../../handlers/runtime/pseudonym-keys.ts";
import { expectExactGrants } from "./support/granted-calls.ts";
import { emulatorClient, type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";

const NOW = new Date("2026-03-01T00:00:00Z");
const STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;

let pipeline: PipelineInAws;

beforeAll(async () => {
  pipeline = await pipelineInAws();
});

/** A secret as the program makes it, without a value, and its rotation. */
async function aSecret() {
  const env = pipeline.environmentOf("rotate-secret");
  const secrets = emulatorClient(SecretsManagerClient, env);
  // The policy grants on the pipeline's own secret; a suffix keeps the tests of this file apart.
  const { ARN: arn = "" } = await secrets.send(
    new CreateSecretCommand({ Name: `${pipeline.setting.names.secret}-${randomUUID()}` }),
  );
  const handler = createHandler(env);
  const current = async () => {
    const { SecretString = "" } = await secrets.send(
      new GetSecretValueCommand({ SecretId: arn, VersionStage: "AWSCURRENT" }),
    );
    return parsePseudonymKeys(SecretString);
  };
  return {
    arn,
    secrets,
    current,
    open: () => openPseudonymKeys(secrets, arn, NOW),
    /**
     * What Secrets Manager does before it calls the function: a version without a value waits. The emulator makes that version
     * current when it has no function to call, so its labels are put right.
     */
    begin: async () => {
      const token = randomUUID();
      const previous = await versionWith(secrets, arn, "AWSCURRENT");
      await secrets.send(
        new RotateSecretCommand({
          SecretId: arn,
          ClientRequestToken: token,
          RotationRules: { AutomaticallyAfterDays: 90 },
        }),
      );
      await moveLabel(secrets, arn, "AWSCURRENT", previous, token);
      await moveLabel(secrets, arn, "AWSPENDING", token);
      return token;
    },
    step: (Step: (typeof STEPS)[number], ClientRequestToken: string) =>
      handler({ Step, SecretId: arn, ClientRequestToken }),
  };
}

async function versionWith(secrets: SecretsManagerClient, SecretId: string, label: string): Promise<string> {
  const { VersionIdsToStages = {} } = await secrets.send(new DescribeSecretCommand({ SecretId }));
  return Object.entries(VersionIdsToStages).find(([, labels]) => labels.includes(label))?.[0] ?? "";
}

async function moveLabel(
  secrets: SecretsManagerClient,
  SecretId: string,
  VersionStage: string,
  MoveToVersionId: string,
  RemoveFromVersionId?: string,
): Promise<void> {
  await secrets.send(
    new UpdateSecretVersionStageCommand({
      SecretId,
      VersionStage,
      MoveToVersionId,
      ...(RemoveFromVersionId !== undefined && { RemoveFromVersionId }),
    }),
  );
}

describe("the pipeline's secret", () => {
  it("gets its first key from whoever needs one first, and both of two who come together get the same", async () => {
    const secret = await aSecret();
    const [one, other] = await Promise.all([secret.open(), secret.open()]);
    expect(other).toEqual(one);
    expect(await secret.open()).toEqual(one);
    expect(one.keys).toHaveLength(1);
  });

  it("gets a newer key by a rotation, before those that it held", async () => {
    const secret = await aSecret();
    const before = await secret.open();
    const token = await secret.begin();
    for (const step of STEPS) await secret.step(step, token);

    const after = await secret.current();
    expect(after.keys).toHaveLength(2);
    expect(after.keys[1]).toEqual(before.keys[0]);
    expect(pseudonym(after, "ada")).not.toBe(pseudonym(before, "ada"));
    expect(recognise(after, "ada", pseudonym(before, "ada"))).toBe(true);
    expect(await versionWith(secret.secrets, secret.arn, "AWSCURRENT")).toBe(token);
  });

  it("is rotated to the same value when every step comes twice", async () => {
    const secret = await aSecret();
    await secret.open();
    const token = await secret.begin();
    await secret.step("createSecret", token);
    await secret.step("createSecret", token);
    const { SecretString: pending } = await secret.secrets.send(
      new GetSecretValueCommand({ SecretId: secret.arn, VersionId: token }),
    );
    for (const step of STEPS) {
      await secret.step(step, token);
      await secret.step(step, token);
    }
    expect(await secret.current()).toEqual(JSON.parse(pending ?? ""));
    expect((await secret.current()).keys).toHaveLength(2);
  });

  it("stays as it is until the last step", async () => {
    const secret = await aSecret();
    const before = await secret.open();
    const token = await secret.begin();
    for (const step of STEPS.slice(0, 3)) await secret.step(step, token);
    expect(await secret.current()).toEqual(before);
  });

  it("is not rotated to a value that forgot a key", async () => {
    const secret = await aSecret();
    const before = await secret.open();
    const token = await secret.begin();
    const forgetful = {
      version: 1,
      keys: [{ ...before.keys[0], id: randomUUID(), key: Buffer.alloc(32, 7).toString("base64") }],
    };
    await secret.secrets.send(
      new PutSecretValueCommand({
        SecretId: secret.arn,
        ClientRequestToken: token,
        SecretString: JSON.stringify(forgetful),
        VersionStages: ["AWSPENDING"],
      }),
    );
    for (const step of ["createSecret", "setSecret"] as const) await secret.step(step, token);
    await expect(secret.step("testSecret", token)).rejects.toThrow(/forgot key/);
    await expect(secret.step("finishSecret", token)).rejects.toThrow(/forgot key/);
    expect(await secret.current()).toEqual(before);
  });

  it("is not rotated by a version that doesn't wait for it, nor where nobody asked for rotation", async () => {
    const secret = await aSecret();
    await secret.open();
    await expect(secret.step("createSecret", randomUUID())).rejects.toThrow(/not set to be rotated/);
    await secret.begin();
    await expect(secret.step("createSecret", randomUUID())).rejects.toThrow(/not the one that waits/);
  });

  it("is not made current before it has a value", async () => {
    const secret = await aSecret();
    await secret.open();
    const token = await secret.begin();
    await expect(secret.step("finishSecret", token)).rejects.toThrow(/has no value/);
  });
});

expectExactGrants(() => pipeline.grantsOf("rotate-secret"));
