import { ECRClient } from "@aws-sdk/client-ecr";
import { CreateKeyCommand, SignCommand } from "@aws-sdk/client-kms";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { beforeAll, expect, it } from "vitest";
import { buildManifest } from "../../handlers/models/build-manifest.ts";
import { describeModelPackage } from "../../handlers/models/model-package.ts";
import {
  manifestDigest,
  type SignatureDocument,
  type SignedManifest,
} from "../../handlers/models/signed-manifest.ts";
import { createHandler } from "../../handlers/verify-model/handler.ts";
import { expectExactGrants } from "./support/granted-calls.ts";
import { emulatorClient, type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";
import { type Registry, registryOf } from "./support/registered-model.ts";

let pipeline: PipelineInAws;
let registry: Registry;
let handler: ReturnType<typeof createHandler>;

beforeAll(async () => {
  pipeline = await pipelineInAws();
  registry = await registryOf(pipeline);
  await registry.pushImage("inference", "1", "first");
  handler = createHandler(pipeline.environmentOf("verify-model"));
});

/** Registered, signed and approved: fit to be released. */
async function aReleasableModel(change: Parameters<Registry["register"]>[0] = {}) {
  const model = await registry.register(change);
  const key = `signatures/${model.version}.json`;
  await pipeline.put("models", key, JSON.stringify(await signed(await manifestOf(model))));
  await registry.decide(model.arn, "Approved");
  return {
    ...model,
    key,
    signature: async (): Promise<SignatureDocument> =>
      JSON.parse((await pipeline.read("models", key)).toString()),
    replaceSignature: (document: unknown) => pipeline.put("models", key, JSON.stringify(document)),
    verify: () => handler({ modelPackageArn: model.arn }),
  };
}

/** By clients of the test's own, so that none of it counts as a call of the function. */
const manifestOf = async (model: { arn: string; version: number }): Promise<SignedManifest> =>
  buildManifest(
    { s3: pipeline.s3, ecr: emulatorClient(ECRClient, {}), modelsBucket: pipeline.bucket("models") },
    await describeModelPackage(registry.sagemaker, model),
  );

/** A signature as only whoever has the key could make it, of a manifest of the test's choice. */
async function signed(manifest: SignedManifest, keyArn = pipeline.keys.signing): Promise<SignatureDocument> {
  const digest = manifestDigest(manifest);
  const { Signature = new Uint8Array() } = await registry.kms.send(
    new SignCommand({
      KeyId: keyArn,
      Message: digest,
      MessageType: "DIGEST",
      SigningAlgorithm: "ECDSA_SHA_256",
    }),
  );
  const value = Buffer.from(Signature).toString("base64");
  return {
    version: 1,
    manifest,
    sha256: digest.toString("hex"),
    signature: { algorithm: "ECDSA_SHA_256", keyArn, value },
  };
}

const withArtifact = (
  { artifacts, ...manifest }: SignedManifest,
  change: Partial<SignedManifest["artifacts"][number]>,
): SignedManifest => ({
  ...manifest,
  artifacts: artifacts.map((artifact) => ({ ...artifact, ...change })),
});

/** The same bytes with the lowest bit of the one at this place turned. */
function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = copy[at]! ^ 1;
  return copy;
}

it("lets a version pass whose every byte is as it was signed, as often as it is asked", async () => {
  const model = await aReleasableModel({ artifact: Buffer.alloc(2_000_000, "weights") });
  await pipeline.takeAlerts();

  const { sha256 } = await model.signature();
  const passed = { outcome: "verified", modelPackageArn: model.arn, sha256 };
  expect(await model.verify()).toEqual(passed);
  expect(await model.verify()).toEqual(passed);
  expect(await pipeline.takeAlerts()).toEqual([]);
});

type Releasable = Awaited<ReturnType<typeof aReleasableModel>>;

const REFUSALS: readonly [title: string, code: string, tamper: (model: Releasable) => Promise<unknown>][] = [
  [
    "that nobody approved",
    "ModelNotApproved",
    (model) => registry.decide(model.arn, "PendingManualApproval"),
  ],
  ["that was rejected", "ModelNotApproved", (model) => registry.decide(model.arn, "Rejected")],
  [
    "without a signature",
    "SignatureMissing",
    (model) =>
      pipeline.s3.send(new DeleteObjectCommand({ Bucket: pipeline.bucket("models"), Key: model.key })),
  ],
  [
    "whose signature document is no JSON",
    "SignatureMalformed",
    (model) => pipeline.put("models", model.key, "{"),
  ],
  [
    "whose signature document lacks the signature",
    "SignatureMalformed",
    async (model) => model.replaceSignature({ ...(await model.signature()), signature: undefined }),
  ],
  [
    "whose signature lost a bit",
    "SignatureInvalid",
    async (model) => {
      const document = await model.signature();
      const bytes = Buffer.from(document.signature.value, "base64");
      const value = flipped(bytes, bytes.length - 1).toString("base64");
      await model.replaceSignature({ ...document, signature: { ...document.signature, value } });
    },
  ],
  [
    "with the signature of another version",
    "SignatureOfAnotherModel",
    async (model) => model.replaceSignature(await (await aReleasableModel()).signature()),
  ],
  [
    "with another version's signature over its own manifest",
    "SignatureInvalid",
    async (model) => {
      const { signature } = await (await aReleasableModel()).signature();
      await model.replaceSignature({ ...(await model.signature()), signature });
    },
  ],
  [
    "whose manifest was changed",
    "ManifestChanged",
    async (model) => {
      const document = await model.signature();
      const manifest = withArtifact(document.manifest, { sha256: "0".repeat(64) });
      await model.replaceSignature({ ...document, manifest });
    },
  ],
  [
    "whose manifest was changed together with its digest",
    "SignatureInvalid",
    async (model) => {
      const document = await model.signature();
      const manifest = withArtifact(document.manifest, { sha256: "0".repeat(64) });
      const sha256 = manifestDigest(manifest).toString("hex");
      await model.replaceSignature({ ...document, manifest, sha256 });
    },
  ],
  [
    "that another key signed",
    "SignatureInvalid",
    async (model) => {
      const { KeyMetadata } = await registry.kms.send(
        new CreateKeyCommand({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" }),
      );
      const { manifest } = await model.signature();
      await model.replaceSignature(await signed(manifest, KeyMetadata?.Arn));
    },
  ],
  [
    "whose registration says something else",
    "ModelChanged",
    (model) => registry.decide(model.arn, "Approved", { "aidlc-transform": "0".repeat(64) }),
  ],
  [
    "whose artifact lost a bit",
    "ArtifactReplaced",
    async (model) => {
      const bytes = await pipeline.read("models", model.artifactKey);
      await pipeline.put("models", model.artifactKey, flipped(bytes, 3));
    },
  ],
  [
    "whose artifact was written again with the same bytes",
    "ArtifactReplaced",
    async (model) =>
      pipeline.put("models", model.artifactKey, await pipeline.read("models", model.artifactKey)),
  ],
  [
    "whose artifact was deleted",
    "ArtifactMissing",
    (model) =>
      pipeline.s3.send(
        new DeleteObjectCommand({ Bucket: pipeline.bucket("models"), Key: model.artifactKey }),
      ),
  ],
  [
    "whose artifact has another checksum than was signed",
    "ArtifactChecksumWrong",
    async (model) => {
      const { manifest } = await model.signature();
      await model.replaceSignature(await signed(withArtifact(manifest, { sha256: "0".repeat(64) })));
    },
  ],
  [
    "whose artifact has another size than was signed",
    "ArtifactSizeWrong",
    async (model) => {
      const { manifest } = await model.signature();
      await model.replaceSignature(await signed(withArtifact(manifest, { size: 6 })));
    },
  ],
];

it.each(REFUSALS)("refuses a version %s: %s", async (_, code, tamper) => {
  const model = await aReleasableModel({ execution: `tampered${code}` });
  await tamper(model);
  await pipeline.takeAlerts();

  await expect(model.verify()).rejects.toMatchObject({ name: code, message: expect.stringContaining(":") });

  expect(await pipeline.takeAlerts()).toMatchObject([
    { severity: "critical", code: "model_refused", detail: { modelPackageArn: model.arn, reason: code } },
  ]);
});

it("refuses a version whose image's tag leads to another image: ImageChanged", async () => {
  const { account, names } = pipeline.setting;
  const image = `${account.accountId}.dkr.ecr.${account.region}.amazonaws.com/${names.repository("inference")}:2`;
  await registry.pushImage("inference", "2", "second");
  const model = await aReleasableModel({ image });
  expect(await model.verify()).toMatchObject({ outcome: "verified" });

  await registry.pushImage("inference", "2", "somebody else's");

  await expect(model.verify()).rejects.toMatchObject({ name: "ImageChanged" });
});

it("passes no version of another pipeline's group", async () => {
  const modelPackageArn = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/aidlc-other-models/1";
  await expect(handler({ modelPackageArn })).rejects.toMatchObject({ name: "UnknownModelPackage" });
});

expectExactGrants(() => pipeline.grantsOf("verify-model"), {
  "s3:ListBucket": "S3 tells a missing object from a forbidden one only to whoever may list",
});
