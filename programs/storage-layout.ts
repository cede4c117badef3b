/** Key prefixes inside the data buckets that the program, the jobs and the handlers agree on. */
export const PREFIX = {
  /** validated: rows that passed validation. */
  acceptedData: "data/",
  /** validated: lists of the accepted objects that training reads. */
  manifests: "manifests/",
  /** validated: drift baselines. */
  baselines: "baselines/",
  /** models: artifacts of training jobs. */
  artifacts: "artifacts/",
  /** models: evaluation reports, which the quality gate reads. */
  evaluations: "evaluations/",
  /** models: Managed Spot checkpoints. */
  checkpoints: "checkpoints/",
} as const;

/**
 * Training reads the objects that this manifest lists, not a prefix: archived objects under a prefix fail the job, and
 * a manifest pins the very objects that passed validation.
 */
export const TRAINING_MANIFEST = `${PREFIX.manifests}training.manifest`;
