import Type, { type Static } from "typebox";
import { PREFIX } from "../../programs/storage-layout.ts";

/** A release or a rollback that excludes others until `until`, ISO 8601: one that died must not hold its place for ever. */
export const Hold = Type.Object({
  releaseId: Type.String(),
  modelPackageArn: Type.String(),
  until: Type.String(),
  /** Whoever held before died: the recorded version must get its traffic back first. */
  inherits: Type.Boolean(),
});
export type Hold = Static<typeof Hold>;

/** The document of UNDER_WAY. Nothing of the pipeline may delete it. */
export const UnderWay = Type.Object({ hold: Type.Union([Hold, Type.Null()]) });

/** Names a fitted transform: `transforms/<digest>.json`. */
export const TransformDigest = Type.String({ pattern: "^[0-9a-f]{64}$" });

/** A model version as it is released. */
export const Version = Type.Object({
  modelPackageArn: Type.String(),
  number: Type.Integer({ minimum: 1 }),
  /** Without tag and digest. */
  repository: Type.String(),
  imageDigest: Type.String({ pattern: "^sha256:[0-9a-f]{64}$" }),
  modelDataUrl: Type.String(),
  /** What its program is told besides. */
  environment: Type.Record(Type.String(), Type.String()),
  /** Execution of the training that made it. */
  execution: Type.Optional(Type.String()),
  /** Only of a built-in algorithm, for which others make the features. */
  transform: Type.Optional(TransformDigest),
});
export type Version = Static<typeof Version>;

const Made = Type.Object({ modelName: Type.String(), configName: Type.String() });

/** What a release has done so far, so that any task of it can be repeated: `releases/<release>.json`. */
export const ReleaseState = Type.Object({
  releaseId: Type.String(),
  state: Type.Enum(["waiting", "trying", "shifting", "recorded", "needless", "withdrawn", "rolled-back"]),
  askedAt: Type.String(),
  /** Number of the version that was recorded when this release was asked for; 0: none. */
  recordedWhenAsked: Type.Integer({ minimum: 0 }),
  version: Version,
  /** Set by whoever takes the release back while it is under way. */
  condemned: Type.Optional(
    Type.Object({ by: Type.Enum(["alarm", "person"]), why: Type.String(), at: Type.String() }),
  ),
  /** An update of the real-time endpoint that was asked for, and when it had last been changed by then. */
  update: Type.Optional(Type.Object({ config: Type.String(), changedBefore: Type.String() })),
  /** What its endpoints are made from, once it was made: settings that change meanwhile change nothing of a release. */
  trial: Type.Optional(Made),
  live: Type.Optional(Made),
  functionVersion: Type.Optional(Type.String()),
  taskDefinitionArn: Type.Optional(Type.String()),
  /** Configuration, version of the function or task definition that served when the shift began. */
  servedBefore: Type.Optional(Type.String()),
  deploymentId: Type.Optional(Type.String()),
  /** When callers began to see the version, ISO 8601: alarms that began before are about another one. */
  shiftingSince: Type.Optional(Type.String()),
});
export type ReleaseState = Static<typeof ReleaseState>;

export const releaseKey = (releaseId: string) => `${PREFIX.releases}${releaseId}.json`;
