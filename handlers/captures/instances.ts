import type { DatasetColumn } from "../../programs/spec.ts";
import type { CapturedBody } from "./capture-record.ts";
import { csvRecords } from "./csv-fields.ts";

/** One row that the model was asked about, by column names. */
export type Instance = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isCsv = ({ contentType }: CapturedBody) => /^text\/csv\b/i.test(contentType.trim());

/**
 * The rows of a request: `{"instances": [{…}]}` in JSON, or CSV without a header in the order of the schema, with or without the
 * target. Undefined where the body is neither.
 */
export function readInstances(
  body: CapturedBody,
  columns: readonly DatasetColumn[],
  target?: string,
): readonly Instance[] | undefined {
  return isCsv(body) ? csvInstances(body.text, columns, target) : jsonInstances(body.text);
}

function jsonInstances(text: string): readonly Instance[] | undefined {
  try {
    const { instances } = JSON.parse(text) ?? {};
    return Array.isArray(instances) && instances.every(isObject) ? instances : undefined;
  } catch {
    return undefined;
  }
}

function csvInstances(
  text: string,
  columns: readonly DatasetColumn[],
  target: string | undefined,
): readonly Instance[] | undefined {
  const inputs = columns.filter(({ name }) => name !== target);
  const rows = csvRecords(text)?.map((fields) => {
    const named = fields.length === inputs.length ? inputs : columns;
    if (fields.length !== named.length) return undefined;
    return Object.fromEntries(
      named.map((column, index) => [column.name, typed(fields[index] ?? null, column)]),
    );
  });
  return rows?.every((row) => row !== undefined) ? rows : undefined;
}

/** A field as JSON would have it; text that is no value of the type stays text, which is a violation of it. */
function typed(field: string | null, { type }: DatasetColumn): unknown {
  if (field === null) return null;
  if (type === "boolean") return field === "true" ? true : field === "false" ? false : field;
  if (type !== "integer" && type !== "number") return field;
  const number = Number(field);
  return Number.isNaN(number) || field.trim() === "" ? field : number;
}
