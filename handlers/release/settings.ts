import Type, { type Static } from "typebox";
import { RELEASE_GUARD } from "../../programs/serving/alarms.ts";
import { COLUMN_TYPES } from "../../programs/spec/dataset.ts";
import { SERVING_MODES } from "../../programs/spec/serving.ts";
import { ownTags, phaseTags, type Tags } from "../../programs/tags.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import type { Settings } from "../runtime/settings.ts";

/** `release/resources`, of which releases need these. */
const Resources = Type.Object({
  modelPackageGroupName: Type.String(),
  servingRoleArn: Type.String(),
  volumeKeyArn: Type.String(),
  subnetIds: Type.Optional(Type.Array(Type.String())),
  securityGroupId: Type.Optional(Type.String()),
});

/** `release/rollout`. */
const Rollout = Type.Object({
  mode: Type.Enum([...SERVING_MODES]),
  instanceType: Type.String(),
  memoryMb: Type.Integer(),
  maxConcurrency: Type.Integer(),
  instances: Type.Integer({ minimum: 1 }),
  canaryPercent: Type.Integer(),
  stepPercent: Type.Integer(),
  bakeMinutes: Type.Integer(),
  tags: Type.Record(Type.String(), Type.String()),
});
export type Rollout = Static<typeof Rollout>;

const Thresholds = Type.Object({ apiErrorFraction: Type.Number(), apiLatencyMs: Type.Number() });
const Monitors = Type.Object({ capture: Type.Object({ samplePercent: Type.Number() }) });

const Limit = Type.Optional(Type.Union([Type.Number(), Type.String()]));

/** `dataset/schema`, as far as a request is made from it. */
const Schema = Type.Object({
  columns: Type.Array(
    Type.Object({
      name: Type.String(),
      type: Type.Enum([...COLUMN_TYPES]),
      enum: Type.Optional(Type.Array(Type.Unknown())),
      min: Limit,
      max: Limit,
    }),
  ),
});
export type Column = Static<typeof Schema>["columns"][number];

/**
 * `serving/backend` of mode ecs: the load balancer (with a port, where callers don't come to 443), the name in its certificate, and where a
 * release's own tests go.
 */
export const TaskBackend = Type.Object({
  address: Type.String(),
  host: Type.String(),
  testPort: Type.Integer({ minimum: 1, maximum: 65_535 }),
});
export type TaskBackend = Static<typeof TaskBackend>;

/** What is fixed as long as the function isn't deployed anew. */
export interface Place {
  /** Physical name of a part of the pipeline. */
  readonly named: (part: string) => string;
  readonly modelsBucket: string;
  readonly predictionsBucket: string;
  /** Metric alarms of the traffic. */
  readonly alarmNames: readonly string[];
  /** The alarm that combines them. */
  readonly guardName: string;
  /** Tags of what releases make, besides those of the spec. */
  readonly tags: Tags;
}

/** Throws `ConfigurationError` for what the program didn't set. */
export function placeOf(env: Environment): Place {
  const set = variables(env, [
    "AIDLC_NAME_PREFIX",
    "AIDLC_MODELS_BUCKET",
    "AIDLC_PREDICTIONS_BUCKET",
    "AIDLC_GUARD_ALARMS",
    "AIDLC_TEAM",
    "AIDLC_PIPELINE",
  ]);
  return {
    named: (part) => `${set.AIDLC_NAME_PREFIX}-${part}`,
    modelsBucket: set.AIDLC_MODELS_BUCKET,
    predictionsBucket: set.AIDLC_PREDICTIONS_BUCKET,
    alarmNames: set.AIDLC_GUARD_ALARMS.split(","),
    guardName: `${set.AIDLC_NAME_PREFIX}-${RELEASE_GUARD}`,
    tags: {
      ...ownTags({ team: set.AIDLC_TEAM, pipeline: set.AIDLC_PIPELINE }),
      ...phaseTags("deployment"),
    },
  };
}

/** What an update of the pipeline may change at any time. */
export async function currentSettings(settings: Settings) {
  const [resources, rollout, thresholds, monitors, schema] = await Promise.all([
    settings.document("release/resources", Resources),
    settings.document("release/rollout", Rollout),
    settings.document("monitoring/thresholds", Thresholds),
    settings.document("monitoring/monitors", Monitors),
    settings.document("dataset/schema", Schema),
  ]);
  return { resources, rollout, thresholds, capture: monitors.capture, columns: schema.columns };
}

export type CurrentSettings = Awaited<ReturnType<typeof currentSettings>>;
