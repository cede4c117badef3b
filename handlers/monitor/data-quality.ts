import { hoursBetween } from "../captures/capture-keys.ts";
import { percent } from "./figures.ts";
import type { Findings, MonitorRun } from "./findings.ts";
import { type InputCheck, InputViolations } from "./input-violations.ts";
import { constraintsDocument, nullLimit, statisticsDocument } from "./model-monitor-documents.ts";
import { type ProfiledRows, RowProfiler } from "./profiled-rows.ts";

/** Fewer predictions say nothing about whether capture works. */
const FEWEST_COUNTED = 100;

/** Less than this share of what should have been captured means that capture is broken, and every monitor half blind. */
const LEAST_COVERAGE = 0.5;

const SAYS: Readonly<Record<InputCheck, string>> = {
  data_type_check: "have a value of another type",
  completeness_check: "are null, which the schema does not allow",
  missing_column_check: "lack the column",
  extra_column_check: "have a column that the schema does not name",
  categorical_values_check: "have a value that the schema does not list",
  range_check: "have a value outside of the schema's range",
  pattern_check: "have a text that does not match the schema's pattern",
};

/** Predictions that the gate counted in the window; undefined where it counted none. */
export type CountedPredictions = (from: Date, to: Date) => Promise<number | undefined>;

/** Checks captured requests against the data set's schema, and whether requests are captured at all. */
export async function dataQuality(run: MonitorRun, counted: CountedPredictions): Promise<Findings> {
  const { window, settings, captures, connection } = run;
  const { columns, target, quality, thresholds, samplePercent } = settings;
  const inputs = columns.filter(({ name }) => name !== target);
  const checks = new InputViolations(connection, columns, target);
  const profiler = new RowProfiler(connection, "requests", inputs);
  for (const hour of hoursBetween(window.from, window.to)) {
    for await (const { instances } of captures.hour(hour)) {
      for (const instance of instances) {
        await checks.add(instance);
        await profiler.add(instance);
      }
    }
  }
  const rows = await profiler.finish();
  const found = await checks.finish();
  const { instances } = captures.counts;
  const violations = [
    ...found.violations.map(({ column, check, count }) => ({
      feature_name: column,
      constraint_check_type: check,
      description: `${count} of ${instances} instances ${SAYS[check]}`,
    })),
    ...tooEmpty(rows, settings),
  ];
  const coverage = coverageOf(instances, await counted(window.from, window.to), samplePercent);
  const isBlind = coverage !== undefined && coverage < LEAST_COVERAGE;
  const brokenFraction = instances === 0 ? 0 : found.broken / instances;
  return {
    documents: {
      "statistics.json": statisticsDocument(inputs, rows),
      "constraints.json": constraintsDocument(inputs, quality.maxNullFraction),
      "constraint_violations.json": { violations },
    },
    summary: { brokenInstances: found.broken, ...(coverage !== undefined && { coverage }) },
    metrics: [
      { name: "InputViolations", value: found.broken },
      { name: "ConformingInputs", value: instances - found.broken },
    ],
    problems: [
      ...violations.map(({ feature_name, description }) => `${feature_name}: ${description}`),
      ...(isBlind ? [`Only ${percent(coverage)} of the predictions were captured`] : []),
    ],
    severity: brokenFraction > thresholds.quarantinedFraction ? "critical" : "warning",
  };
}

/** Columns that may be null, but not so often. Where the target isn't known, a column that nobody sends may be it. */
function tooEmpty(
  { profile, present }: ProfiledRows,
  { columns, target, quality }: MonitorRun["settings"],
): { feature_name: string; constraint_check_type: InputCheck; description: string }[] {
  if (profile.rows === 0) return [];
  return columns.flatMap((column) => {
    const found = present.get(column.name);
    const limit = nullLimit(column, quality.maxNullFraction);
    if (found === undefined || !column.nullable || (found === 0 && target === undefined)) return [];
    const fraction = (profile.rows - found) / profile.rows;
    if (fraction <= limit) return [];
    const description = `${percent(fraction)} are null, and ${percent(limit)} may be`;
    return [{ feature_name: column.name, constraint_check_type: "completeness_check" as const, description }];
  });
}

function coverageOf(captured: number, counted: number | undefined, samplePercent: number) {
  const expected = ((counted ?? 0) * samplePercent) / 100;
  return expected < FEWEST_COUNTED ? undefined : captured / expected;
}
