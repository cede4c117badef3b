import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Check, type GateFacts, judge, qualityLoss } from "../../../handlers/evaluate-gate/rules.ts";

const ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/aidlc-models/2";
const RELEASED = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/aidlc-models/1";
const IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/aidlc/inference:1";
/** As validation notes it on what it accepts. */
const ACCEPTED = { verdict: "accepted" };
const DIGEST = `sha256:${"1".repeat(64)}`;

/** A version that passes every check, changed by the test. */
function facts(change: (facts: GateFacts) => Partial<GateFacts> = () => ({})): GateFacts {
  const whole: GateFacts = {
    gate: { metric: "accuracy", threshold: 0.9, direction: "atLeast" },
    limits: { qualityLoss: 0.05, biasGap: 0.1 },
    validatedBucket: "validated",
    released: { modelPackageArn: RELEASED, metrics: { accuracy: 0.95 } },
    lineage: {
      version: 1,
      model: {
        arn: ARN,
        createdAt: "2026-03-01T00:00:00.000Z",
        artifactUri: "s3://models/artifacts/a/model.tar.gz",
      },
      trigger: "manual",
      execution: null,
      data: {
        manifest: { bucket: "validated", key: "manifests/training.manifest", versionId: "m1", sha256: "" },
        objects: [{ bucket: "validated", key: "data/one.csv", versionId: "d1", size: 1, metadata: ACCEPTED }],
      },
      code: { sourceVersion: null, images: [{ image: IMAGE, digest: DIGEST }] },
      jobs: { process: null, train: null, evaluate: null },
      searchArn: null,
      hyperparameters: {},
      evaluation: {
        bucket: "models",
        key: "evaluations/a/evaluation.json",
        versionId: "e1",
        sha256: "",
        metrics: { accuracy: 0.97 },
        bias: {},
      },
      transform: null,
      graph: "recorded",
      gaps: [],
    },
    signature: {
      version: 1,
      manifest: {
        version: 1,
        model: {
          arn: ARN,
          createdAt: "2026-03-01T00:00:00.000Z",
          containers: [],
          contentTypes: [],
          answerTypes: [],
          metadata: {},
        },
        artifacts: [
          { bucket: "models", key: "artifacts/a/model.tar.gz", versionId: "a1", size: 1, sha256: "" },
        ],
        images: [{ image: IMAGE, digest: DIGEST }],
      },
      sha256: "",
      signature: { algorithm: "ECDSA_SHA_256", keyArn: "", value: "" },
    },
  };
  return { ...whole, ...change(whole) };
}

const resultOf = (check: Check, given: GateFacts) =>
  judge(given).find((finding) => finding.check === check)?.result;

const reaching = (metrics: Record<string, number>, bias: Record<string, number> = {}) =>
  facts(({ lineage }) => ({
    lineage: { ...lineage, evaluation: { ...lineage.evaluation!, metrics, bias } },
  }));

it("passes a version that has everything", () => {
  expect(judge(facts()).map(({ result }) => result)).toEqual(Array.from({ length: 6 }, () => "passed"));
});

describe("quality", () => {
  it.each([
    ["atLeast", 0.9, "passed"],
    ["atLeast", 0.8999, "failed"],
    ["atMost", 0.9, "passed"],
    ["atMost", 0.9001, "failed"],
  ] as const)("with a gate of %s 0.9 finds %d %s", (direction, accuracy, result) => {
    const gate = { metric: "accuracy", threshold: 0.9, direction };
    expect(resultOf("quality", { ...reaching({ accuracy }), gate })).toBe(result);
  });

  it("fails without the gate's metric or without a report", () => {
    expect(resultOf("quality", reaching({ recall: 1 }))).toBe("failed");
    const unreported = facts(({ lineage }) => ({ lineage: { ...lineage, evaluation: null } }));
    expect(resultOf("quality", unreported)).toBe("failed");
    expect(resultOf("not-worse", unreported)).toBe("failed");
  });
});

describe("comparison with the released version", () => {
  it.each([
    [0.95, "passed"],
    [0.96, "passed"],
    [0.93, "warning"],
    [0.9025, "warning"],
    [0.9, "failed"],
  ] as const)("finds %d against 0.95 %s", (accuracy, result) => {
    expect(resultOf("not-worse", reaching({ accuracy }))).toBe(result);
  });

  it("passes where nothing is released, and the released version itself", () => {
    expect(
      resultOf(
        "not-worse",
        facts(() => ({ released: undefined })),
      ),
    ).toBe("passed");
    const itself = facts(() => ({ released: { modelPackageArn: ARN, metrics: { accuracy: 1 } } }));
    expect(resultOf("not-worse", itself)).toBe("passed");
  });

  it("warns where nothing is known of the released version", () => {
    const unknown = facts(() => ({ released: { modelPackageArn: RELEASED, metrics: {} } }));
    expect(resultOf("not-worse", unknown)).toBe("warning");
  });

  it("calls a loss what goes against the gate's direction, and nothing else", () => {
    const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(value, value, (before, after) => {
        expect(qualityLoss(before, after, "atLeast") > 0).toBe(before > after && before - after !== 0);
        expect(qualityLoss(before, after, "atMost")).toBe(-qualityLoss(before, after, "atLeast") + 0);
      }),
    );
  });
});

describe("bias", () => {
  it("accepts what is not reported, and gaps up to the limit", () => {
    expect(resultOf("bias", reaching({ accuracy: 1 }))).toBe("passed");
    expect(resultOf("bias", reaching({ accuracy: 1 }, { island: 0.1, sex: 0 }))).toBe("passed");
  });

  it("fails above the limit in any column", () => {
    expect(resultOf("bias", reaching({ accuracy: 1 }, { island: 0.02, sex: 0.11 }))).toBe("failed");
  });
});

describe("lineage and data", () => {
  const training = (change: Partial<NonNullable<GateFacts["lineage"]["data"]>> | null) =>
    facts(({ lineage }) => ({
      lineage: { ...lineage, data: change === null ? null : { ...lineage.data!, ...change } },
    }));
  const object = (bucket: string, key: string) => ({
    bucket,
    key,
    versionId: "1",
    size: 1,
    metadata: ACCEPTED,
  });

  it("fails with a gap, and names it", () => {
    const gaps = [{ code: "image_missing", detail: IMAGE }];
    const findings = judge(facts(({ lineage }) => ({ lineage: { ...lineage, gaps } })));
    expect(findings).toContainEqual({
      check: "lineage",
      result: "failed",
      detail: `Not known: image_missing (${IMAGE})`,
    });
  });

  it.each([
    ["nothing", training(null)],
    ["an empty manifest", training({ objects: [] })],
    [
      "an object of another bucket",
      training({ objects: [object("validated", "data/a"), object("raw", "data/b")] }),
    ],
    [
      "an object that the validation did not accept",
      training({ objects: [{ ...object("validated", "data/a"), metadata: {} }] }),
    ],
    ["an object that is no accepted data", training({ objects: [object("validated", "profiles/a")] })],
    [
      "a manifest of the team's own",
      training({ manifest: { bucket: "validated", key: "data/my.manifest", versionId: "1", sha256: "" } }),
    ],
  ])("fails a training on %s", (_, given) => {
    expect(resultOf("data", given)).toBe("failed");
  });
});

describe("signature", () => {
  const signing = (change: Partial<GateFacts["signature"]["manifest"]>) =>
    facts(({ signature }) => ({
      signature: { ...signature, manifest: { ...signature.manifest, ...change } },
    }));

  it("fails where it covers another artifact than the training's", () => {
    const artifacts = [
      { bucket: "models", key: "artifacts/b/model.tar.gz", versionId: "1", size: 1, sha256: "" },
    ];
    expect(resultOf("signature", signing({ artifacts }))).toBe("failed");
  });

  it("fails where the image's tag moved between recording and signing", () => {
    const images = [{ image: IMAGE, digest: `sha256:${"2".repeat(64)}` }];
    expect(resultOf("signature", signing({ images }))).toBe("failed");
  });
});
