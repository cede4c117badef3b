import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { S3Client } from "@aws-sdk/client-s3";
import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import { DuckDBInstance } from "@duckdb/node-api";
import Type from "typebox";
import { Value } from "typebox/value";
import { MONITOR_KINDS, type MonitorKind } from "../../programs/monitor-kinds.ts";
import { readBaseline } from "../dataset/baseline-store.ts";
import { createAlerts } from "../runtime/alerts.ts";
import { awsClient } from "../runtime/aws.ts";
import { WriteConflict } from "../runtime/documents.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createSettings } from "../runtime/settings.ts";
import { createTelemetry, type Telemetry } from "../runtime/telemetry.ts";
import { bias } from "./bias.ts";
import { CaptureReader } from "./captured-requests.ts";
import { createCountedPredictions } from "./counted-predictions.ts";
import { dataQuality } from "./data-quality.ts";
import { drift } from "./drift.ts";
import type { Findings, Monitor, MonitorRun } from "./findings.ts";
import { createLabelStore } from "./label-store.ts";
import { modelInUse } from "./model-in-use.ts";
import { modelQuality } from "./model-quality.ts";
import { createPredictionBaselines } from "./prediction-baseline.ts";
import { type BegunWindow, createProgressStore } from "./progress.ts";
import { writeReport } from "./report.ts";
import { monitorSettings } from "./settings.ts";

const MonitorEvent = Type.Object({ kind: Type.Enum([...MONITOR_KINDS]) });

/** What became of a run, for whoever invokes the function by hand. */
export interface MonitorOutcome {
  readonly kind: MonitorKind;
  readonly state: "nothing_settled" | "too_little" | "reported" | "reported_by_another";
  readonly report?: string;
  readonly problems?: number;
}

/** DuckDB's share of the function's memory; captures stream by in the rest. */
const MEMORY_LIMIT = "1500MB";

const MOST_PROBLEMS_IN_ALERT = 20;

const TITLES: Readonly<Record<MonitorKind, string>> = {
  "data-quality": "Requests to the model break the data set's schema",
  "model-quality": "The model in use is worse than it should be",
  bias: "The model treats segments unequally",
  drift: "What the model is asked or answers has drifted",
};

/**
 * Reports on every settled hour since the last report of the kind that a schedule names. A window is completed once, by a conditional
 * write: only then its metrics are published, so that an event which comes twice publishes nothing twice. Alerts go out
 * before, so that none is lost.
 */
export function createHandler(env: Environment, now: () => Date = () => new Date()) {
  const config = variables(env, [
    "AIDLC_VALIDATED_BUCKET",
    "AIDLC_MODELS_BUCKET",
    "AIDLC_PREDICTIONS_BUCKET",
    "AIDLC_METRIC_NAMESPACE",
  ]);
  const bucket = config.AIDLC_PREDICTIONS_BUCKET;
  const telemetry = createTelemetry("monitor", env);
  const alerts = createAlerts(env);
  const settings = createSettings(env);
  const s3 = awsClient(S3Client, env);
  const sageMaker = awsClient(SageMakerClient, env);
  const counted = createCountedPredictions(awsClient(CloudWatchClient, env), config.AIDLC_METRIC_NAMESPACE);
  const monitors: Readonly<Record<MonitorKind, Monitor>> = {
    "data-quality": (run) => dataQuality(run, counted),
    "model-quality": (run) => modelQuality(run, createLabelStore(s3, bucket, "model-quality")),
    bias: (run) => bias(run, createLabelStore(s3, bucket, "bias")),
    drift: async (run) =>
      drift(run, {
        data: await readBaseline(s3, config.AIDLC_VALIDATED_BUCKET),
        predictions: createPredictionBaselines(s3, bucket),
      }),
  };

  const report = async (kind: MonitorKind, window: BegunWindow) => {
    const [monitored, model] = await Promise.all([
      monitorSettings(settings),
      modelInUse(s3, sageMaker, config.AIDLC_MODELS_BUCKET),
    ]);
    const captures = new CaptureReader({ s3, bucket, columns: monitored.columns, target: monitored.target });
    return withDatabase(async (place) => {
      const findings = await monitors[kind]({ window, settings: monitored, captures, model, ...place });
      if (findings === undefined) return undefined;
      const read = captures.counts;
      return { findings, place: await writeReport(s3, bucket, { kind, window, model, read, findings }) };
    });
  };

  return async (event: unknown): Promise<MonitorOutcome> => {
    const { kind } = Value.Parse(MonitorEvent, event);
    const progress = createProgressStore(s3, bucket, kind);
    try {
      const window = await progress.begin(now());
      if (window === undefined) return { kind, state: "nothing_settled" };
      const made = await report(kind, window);
      if (made === undefined) {
        await progress.putOff(window);
        return { kind, state: "too_little" };
      }
      const { findings, place } = made;
      if (findings.problems.length > 0) {
        await alerts.publish(findings.severity, {
          title: TITLES[kind],
          code: `monitor_${kind.replace("-", "_")}`,
          detail: {
            from: window.from.toISOString(),
            to: window.to.toISOString(),
            problems: findings.problems.slice(0, MOST_PROBLEMS_IN_ALERT),
            report: place,
          },
        });
      }
      await progress.complete(window);
      publish(telemetry, findings);
      telemetry.logger.info("reported", { kind, report: place, problems: findings.problems.length });
      return { kind, state: "reported", report: place, problems: findings.problems.length };
    } catch (error) {
      // The same event came twice, or an earlier run took longer: who completes the window publishes its metrics.
      if (error instanceof WriteConflict) return { kind, state: "reported_by_another" };
      throw error;
    }
  };
}

/** A database in memory and a folder for what doesn't fit into it; both are gone afterwards. */
async function withDatabase<T>(
  use: (place: Pick<MonitorRun, "connection" | "workFolder">) => Promise<T>,
): Promise<T> {
  const workFolder = await mkdtemp(join(tmpdir(), "monitor-"));
  const database = await DuckDBInstance.create(":memory:", {
    memory_limit: MEMORY_LIMIT,
    temp_directory: join(workFolder, "spilled"),
    threads: "2",
  });
  try {
    return await use({ connection: await database.connect(), workFolder });
  } finally {
    database.closeSync();
    await rm(workFolder, { recursive: true });
  }
}

function publish({ metrics }: Telemetry, findings: Findings): void {
  for (const { name, value, variant } of findings.metrics) {
    const target = variant === undefined ? metrics : metrics.singleMetric();
    if (variant !== undefined) target.addDimension("Variant", variant);
    target.addMetric(name, MetricUnit.NoUnit, value);
  }
  // Without any it would warn.
  if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
}
