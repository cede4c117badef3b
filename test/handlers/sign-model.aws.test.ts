import { createHash, createPublicKey, verify } from "node:crypto";
import { GetPublicKeyCommand } from "@aws-sdk/client-kms";
import { beforeAll, expect, inject, it } from "vitest";
import { canonicalJson } from "../../handlers/models/canonical-json.ts";
import { parseImage } from "../../handlers/models/images.ts";
import type { SignatureDocument } from "../../handlers/models/signed-manifest.ts";
import { createHandler } from "../../handlers/sign-model/handler.ts";
import { FUNCTIONS } from "../../programs/functions/index.ts";
import { pipelineImages } from "../../programs/images.ts";
import { pipelineSetting } from "../../programs/phases/pipeline-setting.ts";
import { anInput, aSpec } from "../programs/support/inputs.ts";
import { recordAws } from "../support/aws-recorder.ts";
import { json } from "./support/aws-answers.ts";
import { callsDuring, expectExactGrants } from "./support/granted-calls.ts";
import { type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";
import { modelPackageEvent, type Registry, registryOf } from "./support/registered-model.ts";

let pipeline: PipelineInAws;
let registry: Registry;
let handler: ReturnType<typeof createHandler>;
let imageDigest: string;

beforeAll(async () => {
  pipeline = await pipelineInAws();
  registry = await registryOf(pipeline);
  imageDigest = await registry.pushImage("inference", "1", "first");
  handler = createHandler(pipeline.environmentOf("sign-model"));
});

const signatureOf = async (version: number): Promise<SignatureDocument> =>
  JSON.parse((await pipeline.read("models", `signatures/${version}.json`)).toString());

it("signs every byte of the artifact, the image's digest and what the registry says", async () => {
  const artifact = Buffer.alloc(3_000_000, "weights");
  const model = await registry.register({ artifact });

  const signed = await handler(modelPackageEvent(model.arn));

  const { manifest, sha256 } = await signatureOf(model.version);
  expect(signed).toEqual({ modelPackageArn: model.arn, sha256 });
  expect(manifest.artifacts).toEqual([
    {
      bucket: pipeline.bucket("models"),
      key: model.artifactKey,
      versionId: model.versionId,
      size: 3_000_000,
      sha256: createHash("sha256").update(artifact).digest("hex"),
    },
  ]);
  expect(manifest.images).toEqual([{ image: expect.stringMatching(/inference:1$/), digest: imageDigest }]);
  expect(manifest.model).toMatchObject({
    arn: model.arn,
    containers: [{ artifactUri: `s3://${pipeline.bucket("models")}/${model.artifactKey}` }],
    metadata: { PipelineExecution: model.execution, Trigger: "manual" },
  });
});

it("signs the digest of the canonical manifest by a key whose public half proves it", async () => {
  const model = await registry.register();
  const asked = await callsDuring(["Sign"], () => handler(modelPackageEvent(model.arn)));

  const { manifest, sha256, signature } = await signatureOf(model.version);
  const digest = createHash("sha256").update(canonicalJson(manifest)).digest();
  expect(digest.toString("hex")).toBe(sha256);
  expect(asked).toMatchObject([{ input: { Message: digest, MessageType: "DIGEST" } }]);
  const { PublicKey = new Uint8Array() } = await registry.kms.send(
    new GetPublicKeyCommand({ KeyId: pipeline.keys.signing }),
  );
  const publicKey = createPublicKey({ key: Buffer.from(PublicKey), format: "der", type: "spki" });
  const value = Buffer.from(signature.value, "base64");
  // The emulator digests a digest once more. KMS does not, so there the canonical text itself stands in its place.
  expect(verify("sha256", digest, publicKey, value)).toBe(true);
  expect(verify("sha256", Buffer.from("else"), publicKey, value)).toBe(false);
  expect(signature.keyArn).toBe(pipeline.keys.signing);
});

it("signs a version once, however often the event comes", async () => {
  const model = await registry.register();
  await handler(modelPackageEvent(model.arn));
  const first = await signatureOf(model.version);

  await handler(modelPackageEvent(model.arn));

  expect(await signatureOf(model.version)).toEqual(first);
});

it("keeps the first of two signatures that are made at once", async () => {
  const model = await registry.register();

  const both = await Promise.all([1, 2, 3].map(() => handler(modelPackageEvent(model.arn))));

  const { sha256 } = await signatureOf(model.version);
  expect(new Set(both.map((signed) => signed.sha256))).toEqual(new Set([sha256]));
});

it("never signs over what changed since the version was signed", async () => {
  const model = await registry.register();
  await handler(modelPackageEvent(model.arn));
  const first = await signatureOf(model.version);

  await pipeline.put("models", model.artifactKey, "other weights");
  await handler(modelPackageEvent(model.arn));

  expect(await signatureOf(model.version)).toEqual(first);
});

it("refuses an artifact that was written after the registration, and says so", async () => {
  const model = await registry.register({ execution: "latewrite000" });
  await pipeline.takeAlerts();
  const { InferenceSpecification, ModelApprovalStatus } = await registry.describe(model.arn);
  // The emulator dates registrations itself: this one an hour ago.
  const CreationTime = Math.floor(Date.now() / 1000) - 3600;
  const aws = await recordAws(inject("awsUrl"), ({ target }) =>
    target === "SageMaker.DescribeModelPackage"
      ? json({ ModelPackageArn: model.arn, CreationTime, InferenceSpecification, ModelApprovalStatus })
      : undefined,
  );
  const late = createHandler({ ...pipeline.environmentOf("sign-model"), AWS_ENDPOINT_URL: aws.url });

  await expect(late(modelPackageEvent(model.arn))).rejects.toMatchObject({ name: "Unsignable" });
  await aws.close();

  expect(await pipeline.takeAlerts()).toMatchObject([
    { severity: "critical", code: "model_not_signed", detail: { modelPackageArn: model.arn } },
  ]);
  expect(await pipeline.keysIn("models", `signatures/${model.version}.json`)).toEqual([]);
});

it("refuses an image that the registry doesn't have", async () => {
  const image = `${pipeline.setting.account.accountId}.dkr.ecr.eu-west-1.amazonaws.com/${pipeline.setting.names.repository("inference")}:gone`;
  const model = await registry.register({ image });

  await expect(handler(modelPackageEvent(model.arn))).rejects.toThrow(/inference:gone does not exist/);
});

it("refuses to take something else for the version's signature", async () => {
  const one = await registry.register();
  await handler(modelPackageEvent(one.arn));
  const two = await registry.register();
  await pipeline.put(
    "models",
    `signatures/${two.version}.json`,
    JSON.stringify(await signatureOf(one.version)),
  );

  await expect(handler(modelPackageEvent(two.arn))).rejects.toMatchObject({ name: "DocumentConflict" });
});

it("signs nothing of another pipeline", async () => {
  const arn = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/aidlc-other-models/1";
  await expect(handler(modelPackageEvent(arn))).rejects.toMatchObject({ name: "UnknownModelPackage" });
});

it("may look up the images of AWS's built-in algorithms, which others' registries hold", () => {
  const spec = aSpec({ training: { algorithm: "xgboost" } });
  const setting = pipelineSetting(anInput({ spec }));
  const images = pipelineImages(setting);
  const network = { subnetIds: [], securityGroupId: "sg-0aaaaaaaaaaaaaaaa" };
  const grants = FUNCTIONS["sign-model"].grants({ setting, images, keys: pipeline.keys, network });
  const { registryId, repository } = parseImage(images.inference) ?? {};
  expect(grants.find(({ Action }) => Action === "ecr:BatchGetImage")?.Resource).toContain(
    `arn:aws:ecr:eu-west-1:${registryId}:repository/${repository}`,
  );
  expect(registryId).not.toBe(setting.account.accountId);
});

expectExactGrants(() => pipeline.grantsOf("sign-model"), {
  "s3:ListBucket": "S3 tells a missing object from a forbidden one only to whoever may list",
});
