/** Key prefixes inside the buckets that the program, the jobs and the handlers agree on. */
export const PREFIX = {
  /** quarantine: what was set apart in an incident, below the event's id. */
  incidents: "incidents/",
  /** validated: rows that passed validation. */
  acceptedData: "data/",
  /** quarantine: what did not pass validation, whole. */
  rejectedData: "rejected/",
  /** validated, quarantine: what validation said of each version of a raw object, one document each. */
  verdicts: "verdicts/",
  /** validated: lists of the accepted objects that training reads. */
  manifests: "manifests/",
  /** validated: the list that one execution of the training reads in all its steps, one document an execution. */
  executionManifests: "manifests/executions/",
  /** validated: how the values of each accepted object are distributed, one document a version. */
  profiles: "profiles/",
  /** validated: drift baselines, one document a version, and `current.json`, which names the newest. */
  baselines: "baselines/",
  /** validated: proofs of erasures, which name neither the subject nor what was erased. */
  erasures: "erasures/",
  /** access-logs: how every control stood, one document a reading, below the day (UTC). */
  evidence: "evidence/",
  /** features: accepted data as Parquet. */
  compacted: "compacted/",
  /** features: the offline store of the feature group. */
  featureStore: "feature-store/",
  /** features: how far each accepted object came into the feature group. */
  ingested: "ingested/",
  /** features: what the compaction keeps while it runs. */
  scratch: "scratch/",
  /** models: artifacts of training jobs. */
  artifacts: "artifacts/",
  /** models: evaluation reports, which the quality gate reads. */
  evaluations: "evaluations/",
  /** models: fitted features, one document by its digest. */
  transforms: "transforms/",
  /** models: Managed Spot checkpoints. */
  checkpoints: "checkpoints/",
  /** models: where a registered model came from, one document a version. */
  lineage: "lineage/",
  /** models: what the cross-checks before an approval found, one document a version. */
  gates: "gates/",
  /** models: manifests and their signatures, one document a version. */
  signatures: "signatures/",
  /** models: what MLflow keeps. */
  experiments: "mlflow/",
  /** models: the recorded release, `current.json`, and one document for each release that was begun. */
  releases: "releases/",
  /** models: programs of jobs. No role of the pipeline may write here. */
  scripts: "scripts/",
  /** predictions: requests and answers, in the JSON lines that SageMaker's data capture writes. */
  captures: "captures/",
  /** predictions: what turned out to be right, which the team brings. */
  labels: "labels/",
  /** predictions: reports of the monitors. */
  monitoring: "monitoring/",
} as const;

/** models: the program that validates what is too large for a function, and the one that it starts; a job gets the whole folder. */
export const VALIDATION_PROGRAM = {
  folder: `${PREFIX.scripts}validate/`,
  file: "job.js",
  child: "child.js",
} as const;

/**
 * models: how the gate divides the traffic of serverless endpoints, in percent by endpoint, and with which transform it makes the features
 * of a version that takes them finished; releases write it.
 */
export const TRAFFIC = `${PREFIX.releases}traffic.json`;

/**
 * Training reads the objects that this manifest lists, not a prefix: a manifest names the very objects that passed validation. It grows
 * with each of them, so an execution reads a copy, which leaves out what has expired.
 */
export const TRAINING_MANIFEST = `${PREFIX.manifests}training.manifest`;

export const executionManifest = (executionId: string) =>
  `${PREFIX.executionManifests}${executionId}.manifest`;

/** models: which release or rollback is under way, if any: they exclude one another. */
export const UNDER_WAY = `${PREFIX.releases}under-way.json`;

/** Customer metadata of a model package: the digest of the fitted features that it was trained with. */
export const TRANSFORM_METADATA = "aidlc-transform";
