import type { DuckDBConnection } from "@duckdb/node-api";
import type { AlertSeverity } from "../runtime/alerts.ts";
import type { OwnMetric } from "../runtime/telemetry.ts";
import type { CaptureReader } from "./captured-requests.ts";
import type { ModelInUse } from "./model-in-use.ts";
import type { MonitorSettings } from "./settings.ts";
import type { Window } from "./window.ts";

export interface MetricValue {
  readonly name: OwnMetric;
  readonly value: number;
  /** Of one variant only, for comparisons between two. */
  readonly variant?: string;
}

/** What a monitor found in a window. */
export interface Findings {
  /** By file name: Model Monitor's documents, and what they have no place for. */
  readonly documents: Readonly<Record<string, unknown>>;
  /** Counts and figures for the report and the log; nothing of the data's content. */
  readonly summary: Readonly<Record<string, unknown>>;
  readonly metrics: readonly MetricValue[];
  /** One line for each thing that is not as it should be, and how bad it is altogether. */
  readonly problems: readonly string[];
  readonly severity: AlertSeverity;
  /** Files that later reports need, by name; local paths. */
  readonly files?: Readonly<Record<string, string>>;
}

/** What every monitor works with. */
export interface MonitorRun {
  readonly window: Window;
  readonly settings: MonitorSettings;
  readonly captures: CaptureReader;
  /** Of a database in memory that moves to `workFolder` what is too large. */
  readonly connection: DuckDBConnection;
  readonly workFolder: string;
  readonly model: ModelInUse | undefined;
}

/** Undefined where there is too little yet to say anything, and the window may wait for more. */
export type Monitor = (run: MonitorRun) => Promise<Findings | undefined>;
