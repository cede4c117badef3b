import Type, { type Static } from "typebox";
import { Release } from "../../programs/release.ts";
import { SERVING_MODES } from "../../programs/spec/serving.ts";
import { PREFIX } from "../../programs/storage-layout.ts";
import { TransformDigest } from "./documents.ts";

/** In the models bucket. */
export const RECORDED_RELEASE = `${PREFIX.releases}current.json`;

const recorded = {
  ...Release.properties,
  /** Execution of the release machine. */
  releaseId: Type.String(),
  mode: Type.Enum([...SERVING_MODES]),
  /** ISO 8601. A rollback records anew. */
  recordedAt: Type.String(),
  /** What made it the recorded one. */
  by: Type.Enum(["release", "alarm", "person"]),
  /** As in `Version`: what the gate makes its features with. */
  transform: Type.Optional(TransformDigest),
  /** How it is found in AWS; which of them there are depends on the mode. */
  made: Type.Object({
    modelName: Type.Optional(Type.String()),
    configName: Type.Optional(Type.String()),
    functionVersion: Type.Optional(Type.String()),
    taskDefinitionArn: Type.Optional(Type.String()),
  }),
};

/** A version that serves, or served, in the form of the service's `Release` and with what a way back needs. */
export const RecordedRelease = Type.Object(recorded);
export type RecordedRelease = Static<typeof RecordedRelease>;

/** The document: the release that serves, and those before it, the newest first. */
export const RecordedReleases = Type.Object({
  ...recorded,
  /** When it last got back traffic that a release had which failed, ISO 8601: alarms that began before are about that one. */
  returnedAt: Type.Optional(Type.String()),
  earlier: Type.Array(RecordedRelease),
});
export type RecordedReleases = Static<typeof RecordedReleases>;

/** Enough to go back to any version of the last weeks; S3 keeps every version of the document besides. */
const KEPT = 20;

/** The document once `next` serves. What `next` replaces comes first among the earlier ones. */
export function withRelease(next: RecordedRelease, before: RecordedReleases | undefined): RecordedReleases {
  if (before === undefined) return { ...next, earlier: [] };
  const { earlier, returnedAt: _, ...last } = before;
  return { ...next, earlier: [last, ...earlier].slice(0, KEPT) };
}

/** Whether nothing of it ran when it was recorded, so that nothing could try it. */
export const isUntried = ({ made }: Pick<RecordedRelease, "made">) => Object.keys(made).length === 0;

/** Whether both bring the same version up in the same mode. */
export const isSameVersion = (
  one: Pick<RecordedRelease, "mode" | "modelPackageArn">,
  other: Pick<RecordedRelease, "mode" | "modelPackageArn">,
) => one.mode === other.mode && one.modelPackageArn === other.modelPackageArn;

/** The document once `earlier` serves again. What failed is not among the releases any more that one can go back to. */
export function withoutLast(
  back: RecordedRelease,
  before: RecordedReleases,
  by: "alarm" | "person",
  at: Date,
): RecordedReleases {
  const rest = before.earlier.filter((each) => !isSameVersion(each, back) && !isSameVersion(each, before));
  return { ...back, by, recordedAt: at.toISOString(), earlier: rest };
}
