import Type from "typebox";
import { Dataset } from "../../programs/spec/dataset.ts";
import type { PipelineSpec } from "../../programs/spec.ts";
import type { Settings } from "../runtime/settings.ts";
import { targetColumn } from "../runtime/target-column.ts";

const DatasetSchema = Type.Object({ columns: Dataset.properties.schema });
const Quality = Type.Object({
  maxNullFraction: Type.Number(),
  driftThreshold: Type.Number(),
  driftMethod: Type.Enum(["psi", "ks"]),
});
const QualityGate = Type.Object({
  metric: Type.String(),
  threshold: Type.Number(),
  direction: Type.Enum(["atLeast", "atMost"]),
});
const Thresholds = Type.Object({
  quarantinedFraction: Type.Number(),
  qualityLoss: Type.Number(),
  biasGap: Type.Number(),
});
const Monitors = Type.Object({
  capture: Type.Object({ samplePercent: Type.Number() }),
  segments: Type.Array(Type.String()),
});

/** What the monitors need of the spec. */
export interface MonitorSettings {
  readonly columns: PipelineSpec["dataset"]["schema"];
  /** The column that the model predicts, where it is known. */
  readonly target: string | undefined;
  readonly quality: Pick<
    PipelineSpec["dataset"]["quality"],
    "maxNullFraction" | "driftThreshold" | "driftMethod"
  >;
  readonly gate: PipelineSpec["training"]["qualityGate"];
  readonly thresholds: Pick<
    PipelineSpec["monitoring"]["alarms"],
    "quarantinedFraction" | "qualityLoss" | "biasGap"
  >;
  readonly samplePercent: number;
  readonly segments: readonly string[];
}

export async function monitorSettings(settings: Settings): Promise<MonitorSettings> {
  const [{ columns }, quality, gate, thresholds, monitors] = await Promise.all([
    settings.document("dataset/schema", DatasetSchema),
    settings.document("dataset/quality", Quality),
    settings.document("training/quality-gate", QualityGate),
    settings.document("monitoring/thresholds", Thresholds),
    settings.document("monitoring/monitors", Monitors),
  ]);
  return {
    columns,
    target: await targetColumn(settings, columns),
    quality,
    gate,
    thresholds,
    samplePercent: monitors.capture.samplePercent,
    segments: monitors.segments,
  };
}
