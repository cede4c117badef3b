import type { PipelineSpec } from "./spec.ts";
import { specTags } from "./tags.ts";
import { VALIDATION_JOB } from "./validation-job.ts";

/** Values of a standard parameter; larger ones cost money per parameter and month, so documents are split instead. */
const PARAMETER_BYTES = 4096;

export interface ConfigurationParameter {
  /** Below the pipeline's parameter prefix. */
  readonly name: string;
  readonly description: string;
  readonly value: string;
}

/** Cuts between characters, never within one. */
function split(text: string): string[] {
  const parts: string[] = [];
  let part = "";
  let bytes = 0;
  for (const character of text) {
    const size = Buffer.byteLength(character);
    if (bytes + size > PARAMETER_BYTES) {
      parts.push(part);
      part = "";
      bytes = 0;
    }
    part += character;
    bytes += size;
  }
  return [...parts, part];
}

/**
 * One parameter where the document fits; otherwise `<name>/1`, `<name>/2` …, which joined in order are the document.
 */
function documentParameters(name: string, description: string, document: unknown): ConfigurationParameter[] {
  const parts = split(JSON.stringify(document));
  return parts.map((value, index) => ({
    name: parts.length === 1 ? name : `${name}/${index + 1}`,
    description: parts.length === 1 ? description : `${description}, part ${index + 1} of ${parts.length}`,
    value,
  }));
}

/** What jobs and handlers read at run time, so that no threshold stands in their code. */
export function configurationParameters(spec: PipelineSpec): ConfigurationParameter[] {
  const { dataset, training, monitoring, serving } = spec;
  const { format, schema, keys, quality, featureStore, features } = dataset;
  return [
    ...documentParameters("dataset/schema", "Columns of the data set", {
      format,
      columns: schema,
      ...(keys !== undefined && { keys }),
    }),
    ...documentParameters("dataset/quality", "Limits of data validation", quality),
    ...(dataset.validationImage === undefined
      ? []
      : documentParameters(VALIDATION_JOB, "Jobs that validate what is too large for a function", {
          image: dataset.validationImage,
          // What functions start is in no stack, whose provider would add them.
          tags: specTags(spec),
        })),
    ...documentParameters(
      "training/hyperparameters",
      "Hyperparameters of training",
      training.hyperparameters,
    ),
    ...documentParameters(
      "training/quality-gate",
      "What a model must reach to be registered",
      training.qualityGate,
    ),
    ...documentParameters("release/rollout", "How a new version takes over", {
      mode: serving.mode,
      instanceType: serving.instanceType,
      memoryMb: serving.memoryMb,
      maxConcurrency: serving.maxConcurrency,
      instances: serving.autoscaling.minCapacity,
      ...serving.rollout,
      // What releases make is in no stack, whose provider would add them.
      tags: specTags(spec),
    }),
    ...documentParameters("monitoring/thresholds", "Alarm thresholds", monitoring.alarms),
    ...documentParameters("monitoring/monitors", "What is captured and how the model is checked for bias", {
      capture: monitoring.capture,
      segments: monitoring.segments,
    }),
    ...(featureStore === undefined
      ? []
      : documentParameters("dataset/feature-store", "Key columns of the feature group", featureStore)),
    ...(features === undefined
      ? []
      : documentParameters("dataset/features", "Preprocessing and feature engineering", features)),
    ...(training.retrainOn.length === 0
      ? []
      : documentParameters("training/retraining", "What starts a training besides the schedule", {
          causes: training.retrainOn,
          cooldownHours: training.retrainCooldownHours,
        })),
    ...(training.schedule === undefined
      ? []
      : documentParameters("training/schedule", "When the pipeline retrains", {
          expression: training.schedule,
        })),
  ];
}
