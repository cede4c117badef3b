import type { Context } from "aws-lambda";
import { beforeAll, expect, it } from "vitest";
import type { GateDocument } from "../../handlers/evaluate-gate/gate-document.ts";
import { createHandler } from "../../handlers/evaluate-gate/handler.ts";
import type { LineageDocument } from "../../handlers/models/lineage-document.ts";
import type { SignatureDocument } from "../../handlers/models/signed-manifest.ts";
import { callsDuring, expectExactGrants } from "./support/granted-calls.ts";
import { type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";
import { modelPackageEvent, type Registry, registryOf } from "./support/registered-model.ts";

const IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/aidlc/inference:1";
const DIGEST = `sha256:${"1".repeat(64)}`;

let pipeline: PipelineInAws;
let registry: Registry;
let handler: ReturnType<typeof createHandler>;

beforeAll(async () => {
  pipeline = await pipelineInAws();
  registry = await registryOf(pipeline);
  handler = createHandler(pipeline.environmentOf("evaluate-gate"));
});

type Model = Awaited<ReturnType<Registry["register"]>>;

const context = (remainingMs = 0) => ({ getRemainingTimeInMillis: () => remainingMs }) as Context;

/** As register-model records it; the gate of the spec is an accuracy of at least 0.9. */
function lineageOf(model: Model, change: Partial<LineageDocument> = {}, accuracy = 0.97): LineageDocument {
  const validated = pipeline.bucket("validated");
  return {
    version: 1,
    model: {
      arn: model.arn,
      createdAt: "2026-03-01T00:00:00.000Z",
      artifactUri: `s3://${pipeline.bucket("models")}/${model.artifactKey}`,
    },
    trigger: "manual",
    execution: null,
    data: {
      manifest: { bucket: validated, key: "manifests/training.manifest", versionId: "1", sha256: "" },
      objects: [
        {
          bucket: validated,
          key: "data/one.csv",
          versionId: "1",
          size: 1,
          metadata: { verdict: "accepted" },
        },
      ],
    },
    code: { sourceVersion: null, images: [{ image: IMAGE, digest: DIGEST }] },
    jobs: { process: null, train: null, evaluate: null },
    searchArn: null,
    hyperparameters: {},
    evaluation: {
      bucket: pipeline.bucket("models"),
      key: "evaluations/a/evaluation.json",
      versionId: "1",
      sha256: "",
      metrics: { accuracy },
      bias: {},
    },
    transform: null,
    graph: "recorded",
    gaps: [],
    ...change,
  };
}

function signatureOf(model: Model): SignatureDocument {
  const { arn, artifactKey: key, versionId } = model;
  const sha256 = "0".repeat(64);
  return {
    version: 1,
    manifest: {
      version: 1,
      model: { arn, createdAt: "", containers: [], contentTypes: [], answerTypes: [], metadata: {} },
      artifacts: [{ bucket: pipeline.bucket("models"), key, versionId, size: 1, sha256 }],
      images: [{ image: IMAGE, digest: DIGEST }],
    },
    sha256,
    signature: { algorithm: "ECDSA_SHA_256", keyArn: pipeline.keys.signing, value: "AAAA" },
  };
}

const putDocument = (prefix: string, model: Model, document: unknown) =>
  pipeline.put("models", `${prefix}/${model.version}.json`, JSON.stringify(document));

async function recorded(change: Partial<LineageDocument> = {}, accuracy?: number): Promise<Model> {
  const model = await registry.register();
  await putDocument("lineage", model, lineageOf(model, change, accuracy));
  await putDocument("signatures", model, signatureOf(model));
  await pipeline.takeAlerts();
  return model;
}

const gateOf = async ({ version }: Model): Promise<GateDocument> =>
  JSON.parse((await pipeline.read("models", `gates/${version}.json`)).toString());

const failures = ({ findings }: GateDocument) =>
  findings.filter(({ result }) => result === "failed").map(({ check }) => check);

const statusOf = async ({ arn }: Model) => (await registry.describe(arn)).ModelApprovalStatus;

it("leaves a version that passes to whoever approves, and says what it found", async () => {
  const model = await recorded();

  const judged = await handler(modelPackageEvent(model.arn), context());

  expect(judged).toEqual({ modelPackageArn: model.arn, outcome: "passed" });
  expect(await gateOf(model)).toMatchObject({
    outcome: "passed",
    gate: { metric: "accuracy", threshold: 0.9, direction: "atLeast" },
    releasedModelPackageArn: null,
    findings: [
      { check: "quality", result: "passed" },
      { check: "not-worse", result: "passed" },
      { check: "bias" },
      { check: "lineage" },
      { check: "data" },
      { check: "signature" },
    ],
  });
  expect(await statusOf(model)).toBe("PendingManualApproval");
  expect(await pipeline.takeAlerts()).toEqual([]);
});

it("rejects a version that misses the gate of today's spec, with the reason", async () => {
  const model = await recorded({}, 0.85);

  expect(await handler(modelPackageEvent(model.arn), context())).toMatchObject({ outcome: "rejected" });

  const { ModelApprovalStatus, ApprovalDescription } = await registry.describe(model.arn);
  expect(ModelApprovalStatus).toBe("Rejected");
  expect(ApprovalDescription).toBe("quality: accuracy is 0.85, the gate at least 0.9");
  expect(await pipeline.takeAlerts()).toMatchObject([{ severity: "warning", code: "model_rejected" }]);
});

it("raises a critical alert for a version that was trained on data which nobody accepted", async () => {
  const raw = { bucket: pipeline.bucket("raw"), key: "data/one.csv", versionId: "1", size: 1, metadata: {} };
  const whole = lineageOf(await registry.register());
  const model = await recorded({ data: { ...whole.data!, objects: [...whole.data!.objects, raw] } });

  await handler(modelPackageEvent(model.arn), context());

  expect(failures(await gateOf(model))).toEqual(["data"]);
  expect(await statusOf(model)).toBe("Rejected");
  expect(await pipeline.takeAlerts()).toMatchObject([{ severity: "critical", code: "model_rejected" }]);
});

it("compares with the released version by what that one reached when it was registered", async () => {
  const released = await recorded({}, 0.98);
  await pipeline.put("models", "releases/current.json", JSON.stringify({ modelPackageArn: released.arn }));
  const slightly = await recorded({}, 0.97);
  const clearly = await recorded({}, 0.91);

  await handler(modelPackageEvent(slightly.arn), context());
  expect(await gateOf(slightly)).toMatchObject({
    outcome: "passed",
    releasedModelPackageArn: released.arn,
  });
  expect(await pipeline.takeAlerts()).toMatchObject([
    { severity: "warning", code: "model_gate_warning", detail: { findings: [{ check: "not-worse" }] } },
  ]);
  await handler(modelPackageEvent(clearly.arn), context());
  expect(failures(await gateOf(clearly))).toEqual(["not-worse"]);

  await pipeline.put("models", "releases/current.json", JSON.stringify({ modelPackageArn: clearly.arn }));
});

it("waits for the lineage and the signature, which are made meanwhile", async () => {
  const model = await registry.register();
  const waits: number[] = [];
  const patient = createHandler(pipeline.environmentOf("evaluate-gate"), async (ms) => {
    waits.push(ms);
    if (waits.length === 1) await putDocument("lineage", model, lineageOf(model));
    if (waits.length === 2) await putDocument("signatures", model, signatureOf(model));
  });

  expect(await patient(modelPackageEvent(model.arn), context(900_000))).toMatchObject({ outcome: "passed" });
  expect(waits).toEqual([10_000, 10_000]);
});

it("leaves a version undecided whose signature doesn't come, and tells what is missing", async () => {
  const model = await registry.register();
  await putDocument("lineage", model, lineageOf(model));

  await expect(handler(modelPackageEvent(model.arn), context(20_000))).rejects.toMatchObject({
    name: "NotReady",
    message: expect.stringMatching(/signatures\/\d+\.json does not exist: look why sign-model failed/),
  });

  expect(await statusOf(model)).toBe("PendingManualApproval");
  expect(await pipeline.keysIn("models", `gates/${model.version}.json`)).toEqual([]);
});

it("judges a version once, however often the event comes", async () => {
  const model = await recorded({}, 0.85);
  await handler(modelPackageEvent(model.arn), context());
  const first = await gateOf(model);
  await pipeline.takeAlerts();
  await putDocument("lineage", model, lineageOf(model, {}, 0.99));

  const calls = await callsDuring(["PutObject", "UpdateModelPackage", "Publish"], () =>
    handler(modelPackageEvent(model.arn), context()),
  );

  expect(calls).toEqual([]);
  expect(await gateOf(model)).toEqual(first);
});

it("finishes the rejection that an earlier try broke off after its verdict", async () => {
  const model = await recorded({}, 0.85);
  await handler(modelPackageEvent(model.arn), context());
  await registry.decide(model.arn, "PendingManualApproval");

  await handler(modelPackageEvent(model.arn), context());

  expect(await statusOf(model)).toBe("Rejected");
});

it("comes to one verdict when the event comes twice at once", async () => {
  const model = await recorded({}, 0.85);

  const both = await Promise.all([1, 2].map(() => handler(modelPackageEvent(model.arn), context())));

  expect(both.map(({ outcome }) => outcome)).toEqual(["rejected", "rejected"]);
  expect(await statusOf(model)).toBe("Rejected");
});

it("does not undo a person's approval, but tells of what was approved", async () => {
  const model = await recorded({}, 0.85);
  await registry.decide(model.arn, "Approved");

  await handler(modelPackageEvent(model.arn), context());

  expect(await statusOf(model)).toBe("Approved");
  expect(await pipeline.takeAlerts()).toMatchObject([
    { severity: "critical", code: "failed_model_approved" },
  ]);
});

it("takes no verdict of another version for its own", async () => {
  const one = await recorded();
  await handler(modelPackageEvent(one.arn), context());
  const two = await recorded();
  await putDocument("gates", two, await gateOf(one));

  await expect(handler(modelPackageEvent(two.arn), context())).rejects.toMatchObject({
    name: "DocumentConflict",
  });
});

it("has no grant to approve", () => {
  const statement = pipeline
    .grantsOf("evaluate-gate")
    .find(({ Action }) => Action === "sagemaker:UpdateModelPackage");
  expect(statement?.Condition).toEqual({ StringEquals: { "sagemaker:ModelApprovalStatus": "Rejected" } });
});

it("never asks for an approval", async () => {
  const models = [await recorded(), await recorded({}, 0.85)];
  const updates = await callsDuring(["UpdateModelPackage"], () =>
    Promise.all(models.map(({ arn }) => handler(modelPackageEvent(arn), context()))),
  );
  const asked = updates.map(({ input }) => input.ModelApprovalStatus);
  expect(asked).toEqual(["Rejected"]);
});

expectExactGrants(() => pipeline.grantsOf("evaluate-gate"), {
  "s3:ListBucket": "S3 tells a missing object from a forbidden one only to whoever may list",
});
