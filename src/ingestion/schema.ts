import Type, { type Static } from "typebox";
import { CHECKS } from "../../handlers/dataset/verdict.ts";
import { Moment } from "../http/app-types.ts";
import { type Ingestion, type IngestionState, ingestionStates } from "./store.ts";

const ReasonView = Type.Object(
  {
    check: Type.Enum([...CHECKS], { description: "Which check found it" }),
    code: Type.String({ description: "What was found, for machines" }),
    severity: Type.Enum(["warning", "critical"], { description: "critical: the file was not accepted" }),
    message: Type.String({ description: "What was found, for people; holds no value of the data" }),
    column: Type.Optional(Type.String({ description: "The column that it is about" })),
    record: Type.Optional(
      Type.Integer({ description: "The record at which reading ended, counted from 1 without the header" }),
    ),
    count: Type.Optional(Type.Integer({ description: "How many values or rows" })),
  },
  { description: "Something that the validation found" },
);

export const FileView = Type.Object(
  {
    id: Type.String({ format: "uuid", description: "Id of the file; its copy's name begins with it" }),
    name: Type.String({ description: "Its name, as whoever gave it named it" }),
    state: Type.Enum([...ingestionStates], {
      description: "received: waits for its verdict. failed: could not be validated",
    }),
    bytes: Type.Integer({ description: "Its size" }),
    receivedAt: Moment("When it was taken"),
    validatedAt: Type.Optional(Moment("When it had its verdict")),
    sha256: Type.Optional(Type.String({ description: "SHA-256 of the file" })),
    rows: Type.Optional(Type.Integer({ description: "Rows that were read" })),
    severity: Type.Optional(
      Type.Enum(["none", "warning", "critical"], { description: "The most severe of the reasons" }),
    ),
    reasons: Type.Optional(Type.Array(ReasonView, { description: "Everything that was found" })),
    driftScore: Type.Optional(
      Type.Number({ description: "How far its worst column is from the files accepted before" }),
    ),
    failure: Type.Optional(Type.String({ description: "Why it could not be validated" })),
  },
  { description: "A file that the pipeline was given, and its verdict" },
);

export function fileView(ingestion: Ingestion): Static<typeof FileView> {
  const { id, name, state, bytes, verdict, failure, receivedAt, validatedAt } = ingestion;
  return {
    id,
    name,
    state,
    bytes,
    receivedAt: receivedAt.toISOString(),
    ...(validatedAt === null ? {} : { validatedAt: validatedAt.toISOString() }),
    ...(failure === null ? {} : { failure }),
    ...(verdict === null
      ? {}
      : {
          sha256: verdict.sha256,
          rows: verdict.rows,
          severity: verdict.severity,
          reasons: verdict.reasons.map(({ check, code, severity, message, column, record, count }) => ({
            check,
            code,
            severity,
            message,
            ...(column === undefined ? {} : { column }),
            ...(record === undefined ? {} : { record }),
            ...(count === undefined ? {} : { count }),
          })),
          ...(verdict.drift === undefined ? {} : { driftScore: verdict.drift.score }),
        }),
  };
}

/** In a pipeline's status. */
export const DataStatus = Type.Object(
  {
    received: Type.Integer({ description: "Files that wait for their verdict" }),
    accepted: Type.Integer({ description: "Files that were accepted" }),
    quarantined: Type.Integer({ description: "Files that were not" }),
    failed: Type.Integer({ description: "Files that could not be validated" }),
    last: Type.Array(FileView, { description: "The newest files" }),
  },
  { description: "What the pipeline was given; only in the sandbox" },
);

export const dataStatus = (
  counts: Partial<Record<IngestionState, number>>,
  last: readonly Ingestion[],
): Static<typeof DataStatus> => ({
  received: counts.received ?? 0,
  accepted: counts.accepted ?? 0,
  quarantined: counts.quarantined ?? 0,
  failed: counts.failed ?? 0,
  last: last.map(fileView),
});
