import type { DatasetColumn, PipelineSpec } from "../spec.ts";

/** Rows of one request; more belong into a batch. API Gateway and Lambda take 6 MB. */
const MOST_INSTANCES = 100;

const JSON_TYPE: Readonly<Record<DatasetColumn["type"], string>> = {
  string: "string",
  integer: "integer",
  number: "number",
  boolean: "boolean",
  date: "string",
  timestamp: "string",
};

const property = ({ type, nullable }: DatasetColumn) =>
  nullable ? { type: [JSON_TYPE[type], "null"] } : { type: JSON_TYPE[type] };

/**
 * JSON Schema (draft 4, API Gateway's) of `{"instances": [{"<column>": <value>, …}, …]}`. Names and types only: the gate checks
 * ranges and listed values itself, because requests outside of them are what probing looks like and must be counted.
 * No column is required, since which of them is the target only the training program knows.
 */
export function requestModel({ schema }: PipelineSpec["dataset"]) {
  return {
    $schema: "http://json-schema.org/draft-04/schema#",
    title: "PredictionRequest",
    type: "object",
    required: ["instances"],
    additionalProperties: false,
    properties: {
      instances: {
        type: "array",
        minItems: 1,
        maxItems: MOST_INSTANCES,
        items: {
          type: "object",
          minProperties: 1,
          additionalProperties: false,
          properties: Object.fromEntries(schema.map((column) => [column.name, property(column)])),
        },
      },
    },
  };
}
