import Type, { type Static } from "typebox";
import { Moment, OperationId } from "../http/app-types.ts";
import { ChangeCounts, PhaseName, PropertyChange } from "../operations/schema.ts";
import { operationKinds, operationStates } from "../operations/states.ts";
import type { HistoryEntry } from "./history.ts";
import { RevisionView } from "./schema.ts";

const SpecChangeView = Type.Object(
  {
    path: Type.String({ description: "JSON pointer into the spec" }),
    before: Type.Optional(Type.Unknown({ description: "Absent where there was nothing" })),
    after: Type.Optional(Type.Unknown({ description: "Absent where there is nothing any more" })),
  },
  { description: "One place at which two specs differ; secrets are masked" },
);

export const RevisionDetail = Type.Object(
  {
    ...RevisionView.properties,
    changes: Type.Array(SpecChangeView, { description: "What it changed in the revision before" }),
  },
  { description: "A revision of a pipeline's spec, and its difference from the one before" },
);

const ChangedResourceView = Type.Object(
  {
    urn: Type.String({ description: "The resource's URN" }),
    type: Type.String({ description: "Its type, such as aws:s3/bucket:Bucket" }),
    name: Type.String({ description: "Its name in the program" }),
    phase: Type.Optional(PhaseName),
    action: Type.String({ description: "create, update, replace, delete …" }),
    result: Type.Enum(["done", "failed"], { description: "Whether AWS did it" }),
    changes: Type.Array(PropertyChange, { description: "For updates: its properties that changed" }),
  },
  { description: "What a change did to one resource" },
);

export const HistoryView = Type.Object(
  {
    operation: OperationId,
    kind: Type.Enum([...operationKinds], { description: "What it was" }),
    state: Type.Enum([...operationStates], { description: "What became of it" }),
    requestedBy: Type.Optional(Type.String({ description: "Who asked for it" })),
    reason: Type.Optional(Type.String({ description: "Why, where somebody said" })),
    createdAt: Moment("When it was asked for"),
    startedAt: Type.Optional(Moment("When it began to run")),
    finishedAt: Type.Optional(Moment("When it ended")),
    revision: Type.Optional(Type.Integer({ description: "The revision it worked with" })),
    from: Type.Optional(
      Type.Integer({ description: "For updates and rollbacks: the revision that was applied before" }),
    ),
    restores: Type.Optional(Type.Integer({ description: "For rollbacks: the revision gone back to" })),
    specChanges: Type.Array(SpecChangeView, {
      description: "What differs between the revision applied before and this one",
    }),
    changes: Type.Optional(ChangeCounts),
    resources: Type.Array(ChangedResourceView, { description: "What was really done, in its order" }),
  },
  { description: "An operation that changed a pipeline, or tried to" },
);

export function historyView(entry: HistoryEntry): Static<typeof HistoryView> {
  const { operation, from, restores } = entry;
  return {
    operation: operation.id,
    kind: operation.kind,
    state: operation.state,
    ...(operation.requestedBy === null ? {} : { requestedBy: operation.requestedBy }),
    ...(operation.reason === null ? {} : { reason: operation.reason }),
    createdAt: operation.createdAt.toISOString(),
    ...(operation.startedAt === null ? {} : { startedAt: operation.startedAt.toISOString() }),
    ...(operation.finishedAt === null ? {} : { finishedAt: operation.finishedAt.toISOString() }),
    ...(operation.revision === null ? {} : { revision: operation.revision }),
    ...(from === null ? {} : { from }),
    ...(restores === null ? {} : { restores }),
    specChanges: [...entry.specChanges],
    ...(operation.result === null ? {} : { changes: { ...operation.result.changes } }),
    resources: entry.resources.map((resource) => ({ ...resource, changes: [...resource.changes] })),
  };
}
