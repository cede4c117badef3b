import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import type { DatasetColumn } from "../../programs/spec.ts";
import { normalized } from "./values.ts";

/** What the function is invoked with. The same request again goes on where the last invocation ended. */
export const ErasureRequest = Type.Object(
  {
    requestId: Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9-]{7,63}$" }),
    /** Column names and the values by which rows are the subject's: all must be equal. */
    subject: Type.Record(
      Type.String({ minLength: 1, maxLength: 255 }),
      Type.Union([Type.String({ minLength: 1, maxLength: 1024 }), Type.Number(), Type.Boolean()]),
      { minProperties: 1, maxProperties: 10 },
    ),
    /** Who asks for it, such as a ticket or a data protection officer; it stands in the proof. */
    requestedBy: Type.String({ minLength: 1, maxLength: 200 }),
    reason: Type.String({ minLength: 1, maxLength: 500 }),
  },
  { additionalProperties: false },
);

export type ErasureRequest = Static<typeof ErasureRequest>;

/** The request can't be obeyed as it is. The message quotes no value of the subject. */
export class ErasureRefused extends Error {
  override readonly name = "ErasureRefused";
}

export interface SubjectColumn {
  readonly name: string;
  readonly type: DatasetColumn["type"];
  /** As `normalized` writes it. */
  readonly value: string;
}

export type Subject = readonly SubjectColumn[];

export function parseRequest(event: unknown): ErasureRequest {
  const [problem] = Value.Errors(ErasureRequest, event);
  if (problem !== undefined) {
    throw new ErasureRefused(`The request${problem.instancePath} ${problem.message}: see docs/erasure.md`);
  }
  return event as ErasureRequest;
}

/**
 * The subject by the data set's columns, in their order. Refuses columns that are not declared, values that no row can have, and
 * subjects that columns with few values describe: those are groups of people.
 */
export function subjectOf(
  { subject, reason, requestedBy }: ErasureRequest,
  columns: readonly DatasetColumn[],
) {
  const given = new Map(Object.entries(subject).map(([name, value]) => [name.toLowerCase(), value]));
  const found = columns.flatMap((column) => {
    const value = given.get(column.name.toLowerCase());
    if (value === undefined) return [];
    given.delete(column.name.toLowerCase());
    const normal = normalized(column.type, value);
    if (normal === undefined) {
      throw new ErasureRefused(`The subject's value of column "${column.name}" is no ${column.type}`);
    }
    return [{ name: column.name, type: column.type, value: normal }];
  });
  if (given.size > 0) {
    throw new ErasureRefused(
      `The data set has no column ${[...given.keys()].map((name) => `"${name}"`).join(", ")}`,
    );
  }
  const tellsApart = columns.some(
    ({ name, type, enum: values }) =>
      type !== "boolean" && values === undefined && found.some((column) => column.name === name),
  );
  if (!tellsApart) {
    throw new ErasureRefused(
      "The subject is described by columns with few values: name a column that identifies it",
    );
  }
  if (found.some(({ type, value }) => type === "string" && `${reason}\n${requestedBy}`.includes(value))) {
    throw new ErasureRefused("The reason and who asks stand in the proof: they may not name the subject");
  }
  return found as Subject;
}

/** The subject in the one way that pseudonyms are made of. */
export const subjectText = (subject: Subject): string =>
  JSON.stringify(subject.map(({ name, value }) => [name, value]));
