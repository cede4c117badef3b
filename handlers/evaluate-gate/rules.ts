import Type, { type Static } from "typebox";
import { PREFIX } from "../../programs/storage-layout.ts";
import type { LineageDocument } from "../models/lineage-document.ts";
import type { SignatureDocument } from "../models/signed-manifest.ts";

/** As the parameter `training/quality-gate` holds it. */
export const QualityGate = Type.Object({
  metric: Type.String(),
  threshold: Type.Number(),
  direction: Type.Enum(["atLeast", "atMost"]),
});
export type QualityGate = Static<typeof QualityGate>;

/** What is used of the parameter `monitoring/thresholds`. */
export const Limits = Type.Object({
  /** Share of the released model's quality that a new one may be worse by. */
  qualityLoss: Type.Number(),
  /** Largest accepted difference of quality between two values of a column. */
  biasGap: Type.Number(),
});
export type Limits = Static<typeof Limits>;

export const CHECKS = ["quality", "not-worse", "bias", "lineage", "data", "signature"] as const;
export type Check = (typeof CHECKS)[number];

export const Finding = Type.Object({
  check: Type.Enum([...CHECKS]),
  /** A warning leaves the decision to whoever approves. */
  result: Type.Enum(["passed", "warning", "failed"]),
  detail: Type.String(),
});
export type Finding = Static<typeof Finding>;

/** A released version and what it reached when it was registered. */
export interface ReleasedModel {
  readonly modelPackageArn: string;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface GateFacts {
  readonly gate: QualityGate;
  readonly limits: Limits;
  readonly lineage: LineageDocument;
  readonly signature: SignatureDocument;
  /** Undefined before the first release. */
  readonly released: ReleasedModel | undefined;
  readonly validatedBucket: string;
}

/** Every check of a version, in the order of CHECKS. */
export function judge(facts: GateFacts): Finding[] {
  const checks = {
    quality: quality(facts),
    "not-worse": notWorse(facts),
    bias: bias(facts),
    lineage: lineage(facts),
    data: data(facts),
    signature: signature(facts),
  } satisfies Record<Check, Judgement>;
  return CHECKS.map((check) => ({ check, ...checks[check] }));
}

type Judgement = Omit<Finding, "check">;

const passed = (detail: string): Judgement => ({ result: "passed", detail });
const warning = (detail: string): Judgement => ({ result: "warning", detail });
const failed = (detail: string): Judgement => ({ result: "failed", detail });

function quality({ gate, lineage: { evaluation } }: GateFacts): Judgement {
  const { metric, threshold, direction } = gate;
  const value = evaluation?.metrics[metric];
  if (value === undefined) return failed(`The evaluation reports no ${metric}`);
  const reached = direction === "atLeast" ? value >= threshold : value <= threshold;
  const detail = `${metric} is ${value}, the gate ${direction === "atLeast" ? "at least" : "at most"} ${threshold}`;
  return reached ? passed(detail) : failed(detail);
}

function notWorse({ gate, limits, lineage: { evaluation, model }, released }: GateFacts): Judgement {
  if (released === undefined) return passed("Nothing is released yet");
  if (released.modelPackageArn === model.arn) return passed("It is the released version itself");
  const before = released.metrics[gate.metric];
  if (before === undefined) return warning(`The released version has no recorded ${gate.metric}`);
  const value = evaluation?.metrics[gate.metric];
  if (value === undefined) return failed(`The evaluation reports no ${gate.metric}`);
  const loss = qualityLoss(before, value, gate.direction);
  const detail = `${gate.metric} is ${value}, that of the released version ${before}`;
  if (loss <= 0) return passed(detail);
  return loss <= limits.qualityLoss ? warning(detail) : failed(detail);
}

/** By which share a value is worse than an earlier one: 0 or less when it isn't. Of nothing there is no share, so the difference counts. */
export function qualityLoss(before: number, value: number, direction: QualityGate["direction"]): number {
  const worse = direction === "atLeast" ? before - value : value - before;
  return before === 0 ? worse : worse / Math.abs(before);
}

function bias({ limits, lineage: { evaluation } }: GateFacts): Judgement {
  const gaps = Object.entries(evaluation?.bias ?? {});
  const tooLarge = gaps.filter(([, gap]) => gap > limits.biasGap);
  if (tooLarge.length > 0) {
    const named = tooLarge.map(([column, gap]) => `${column} ${gap}`).join(", ");
    return failed(`Quality differs by more than ${limits.biasGap} between values of ${named}`);
  }
  return passed(
    gaps.length === 0 ? "The evaluation reports none" : `At most ${limits.biasGap} in each column`,
  );
}

function lineage({ lineage: { gaps } }: GateFacts): Judgement {
  if (gaps.length === 0) return passed("Whole");
  return failed(`Not known: ${gaps.map(({ code, detail }) => `${code} (${detail})`).join(", ")}`);
}

function data({ lineage: { data: found }, validatedBucket }: GateFacts): Judgement {
  if (found === null) return failed("What the training read is not known");
  const { manifest, objects } = found;
  if (manifest.bucket !== validatedBucket || !manifest.key.startsWith(PREFIX.manifests)) {
    return failed(`The manifest s3://${manifest.bucket}/${manifest.key} is not the validation's`);
  }
  if (objects.length === 0) return failed("The manifest lists no object");
  const strange = objects.filter(
    ({ bucket, key, metadata }) =>
      bucket !== validatedBucket || !key.startsWith(PREFIX.acceptedData) || metadata.verdict !== "accepted",
  );
  if (strange.length > 0) {
    return failed(
      `${strange.length} of ${objects.length} objects were not accepted, the first ${strange[0]?.key}`,
    );
  }
  return passed(`${objects.length} accepted objects`);
}

/** That the signature is one of the key is verified before each release, by whoever may not sign. */
function signature({ signature: { manifest }, lineage: { model, code } }: GateFacts): Judgement {
  if (manifest.model.arn !== model.arn) return failed(`It is of ${manifest.model.arn}`);
  if (!manifest.artifacts.some(({ bucket, key }) => `s3://${bucket}/${key}` === model.artifactUri)) {
    return failed("It does not cover the artifact of the training");
  }
  const digests = new Map(code.images.map(({ image, digest }) => [image, digest]));
  const other = manifest.images.find(({ image, digest }) => digests.get(image) !== digest);
  if (other !== undefined) return failed(`${other.image} was another image when the lineage was recorded`);
  return passed("Made");
}
