/**
 * What processing jobs that validate run on, the smaller one first. SageMaker has none with the functions' processor for processing, and
 * these have no local storage, which could neither be sized nor be put under the pipeline's key.
 */
export const VALIDATION_INSTANCES = ["ml.m5.xlarge", "ml.m5.4xlarge"] as const;

/** For each version of an object: the first job, and two more where it failed. */
export const VALIDATION_ATTEMPTS = 3;

/** Parameter with image and tags of the jobs. */
export const VALIDATION_JOB = "dataset/validation-job";
