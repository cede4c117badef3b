import { createHash } from "node:crypto";
import type { DataClassification, DatasetColumn, PipelineSpec } from "../../programs/spec.ts";

type Dataset = PipelineSpec["dataset"];

/** What data must be to be accepted: the parts of a pipeline's spec that say so. */
export interface DatasetRules {
  readonly format: Dataset["format"];
  readonly columns: readonly DatasetColumn[];
  readonly keys?: Dataset["keys"];
  readonly quality: Dataset["quality"];
  readonly classification: DataClassification;
}

export const datasetRules = ({ dataset, dataClassification }: PipelineSpec): DatasetRules => ({
  format: dataset.format,
  columns: dataset.schema,
  ...(dataset.keys !== undefined && { keys: dataset.keys }),
  quality: dataset.quality,
  classification: dataClassification,
});

/** SHA-256 of format and columns, in hexadecimal: a version of the schema that changes with it alone. */
export const schemaDigest = ({ format, columns, keys = [] }: DatasetRules): string =>
  createHash("sha256")
    .update(JSON.stringify([format, columns.map(sorted), keys]))
    .digest("hex");

const sorted = (column: DatasetColumn) =>
  Object.entries(column).sort(([one], [other]) => (one < other ? -1 : 1));
