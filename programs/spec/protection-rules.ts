import { FRAMEWORK_RULES } from "../frameworks.ts";
import { DATA_CLASSIFICATIONS, type DataClassification, type PipelineSpec } from "../spec.ts";
import type { SpecProblem } from "./problem.ts";

const isBelow = (level: DataClassification, least: DataClassification) =>
  DATA_CLASSIFICATIONS.indexOf(level) < DATA_CLASSIFICATIONS.indexOf(least);

const nobodyToAlert = ({ alerts }: PipelineSpec) => alerts.emails.length === 0;

/** Confidential data needs somebody to alert; restricted data the whole profile, a network of its own and a year of logs besides. */
export function* classificationProblems(spec: PipelineSpec): Iterable<SpecProblem> {
  const level = spec.dataClassification;
  if (isBelow(level, "confidential")) return;
  const because = `because data is ${level}`;
  if (nobodyToAlert(spec))
    yield { path: "/alerts/emails", message: `at least one address is required ${because}` };
  if (isBelow(level, "restricted")) return;
  if (spec.profile !== "production") yield { path: "/profile", message: `must be production ${because}` };
  if (!spec.network.dedicated) yield { path: "/network/dedicated", message: `must be true ${because}` };
  if (spec.monitoring.logRetentionDays < 365) {
    yield { path: "/monitoring/logRetentionDays", message: `must be at least 365 ${because}` };
  }
}

/** What must survive the loss of a region, and be noticed when it fails. */
export function* profileProblems(spec: PipelineSpec): Iterable<SpecProblem> {
  if (spec.profile !== "production") return;
  if (spec.dataset.replicaRegion === undefined) {
    yield { path: "/dataset/replicaRegion", message: "is required by the profile production" };
  }
  if (spec.alerts.emails.length + spec.alerts.webhooks.length === 0) {
    yield {
      path: "/alerts",
      message: "at least one address or webhook is required by the profile production",
    };
  }
}

/** What the chosen frameworks demand, each with the clause that says so. */
export function* frameworkProblems(spec: PipelineSpec): Iterable<SpecProblem> {
  for (const framework of spec.frameworks) {
    const { title, spec: demands } = FRAMEWORK_RULES[framework];
    const by = ({ clause }: { readonly clause: string }) => `(${title}, ${clause})`;
    const { leastClassification, alerts, logRetentionDays, recovery } = demands;
    if (leastClassification && isBelow(spec.dataClassification, leastClassification.level)) {
      yield {
        path: "/dataClassification",
        message: `must be at least ${leastClassification.level} ${by(leastClassification)}`,
      };
    }
    if (alerts && nobodyToAlert(spec)) {
      yield { path: "/alerts/emails", message: `at least one address is required ${by(alerts)}` };
    }
    if (logRetentionDays && spec.monitoring.logRetentionDays < logRetentionDays.least) {
      yield {
        path: "/monitoring/logRetentionDays",
        message: `must be at least ${logRetentionDays.least} ${by(logRetentionDays)}`,
      };
    }
    if (recovery && spec.dataset.replicaRegion === undefined) {
      yield {
        path: "/dataset/replicaRegion",
        message: `is required, for it brings backups and replicas ${by(recovery)}`,
      };
    }
  }
}
