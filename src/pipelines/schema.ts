import Type, { type Static } from "typebox";
import { PipelineSpec } from "../../programs/spec.ts";
import { AccountName, Moment, OperationId, PipelineName, shared, TeamName } from "../http/app-types.ts";
import { withOptionalDefaults } from "../http/documentation.ts";
import { DataStatus } from "../ingestion/schema.ts";
import { PhaseName } from "../operations/schema.ts";
import { operationKinds, operationStates } from "../operations/states.ts";
import { pipelineStates } from "./state.ts";
import { phaseStates } from "./status.ts";
import type { Revision, PipelineSummary as Summary } from "./store.ts";

/** The smallest useful spec, for readers of the API's documentation and for what makes requests of it. */
const example = {
  apiVersion: "aidlc/v1",
  account: "main",
  owner: "ada@example.com",
  dataClassification: "internal",
  dataset: {
    format: "csv",
    schema: [
      { name: "age", type: "integer" },
      { name: "label", type: "string" },
    ],
  },
  training: { qualityGate: { metric: "auc", threshold: 0.8 } },
};

/** The spec as the application shares it; named by `$id` in the API's documentation. */
export const SharedSpec = {
  ...withOptionalDefaults(PipelineSpec),
  $id: "PipelineSpec",
  examples: [example],
};
const SpecAnswer = shared("PipelineSpec", PipelineSpec);

export const PipelineParams = Type.Object({ team: TeamName, pipeline: PipelineName });

const OperationRef = Type.Object(
  {
    id: OperationId,
    kind: Type.Enum([...operationKinds], { description: "What it does" }),
    state: Type.Enum([...operationStates], { description: "How far it is" }),
  },
  { description: "An operation in short" },
);

const Expiry = Moment("When the service tears it down by itself, data retained; absent without a ttl");

const summaryFields = {
  id: Type.String({
    format: "uuid",
    description: "Id of the pipeline; a later pipeline of the same name has another",
  }),
  team: TeamName,
  name: PipelineName,
  account: AccountName,
  state: Type.Enum([...pipelineStates], { description: "The pipeline in one word" }),
  desiredRevision: Type.Integer({ description: "The revision that was asked for last" }),
  appliedRevision: Type.Optional(
    Type.Integer({ description: "The revision applied last; absent before the first" }),
  ),
  lastChange: Type.Optional(OperationRef),
  expiresAt: Type.Optional(Expiry),
  createdAt: Moment("When it was created"),
  updatedAt: Moment("When its spec was last changed"),
};

export const PipelineSummary = Type.Object(summaryFields, { description: "A pipeline without its spec" });
export const PipelineView = Type.Object(
  { ...summaryFields, spec: SpecAnswer },
  { description: "A pipeline" },
);

export const RevisionView = Type.Object(
  {
    number: Type.Integer({ description: "1 is the first" }),
    digest: Type.String({ description: "SHA-256 over the spec" }),
    createdAt: Moment("When it was asked for"),
    requestedBy: Type.Optional(Type.String({ description: "Who asked for it" })),
    reason: Type.Optional(Type.String({ description: "Why, where somebody said" })),
    restores: Type.Optional(
      Type.Integer({ description: "The earlier revision whose spec it is once more, after a rollback" }),
    ),
    spec: SpecAnswer,
  },
  { description: "An immutable revision of a pipeline's spec" },
);

export const RevisionNumber = Type.Integer({
  minimum: 1,
  maximum: 2_147_483_647,
  description: "Number of a revision",
});

export const ResourceView = Type.Object(
  {
    urn: Type.String({ description: "The resource's URN" }),
    type: Type.String({ description: "Its type, such as aws:s3/bucket:Bucket" }),
    name: Type.String({ description: "Its name in the program" }),
    id: Type.Optional(Type.String({ description: "Its id on AWS; components have none" })),
    phase: Type.Optional(PhaseName),
    parent: Type.Optional(Type.String({ description: "URN of the component it belongs to" })),
    dependencies: Type.Array(Type.String(), { description: "URNs of what it needs" }),
    inputs: Type.Unknown({ description: "What the program asked for, secrets masked" }),
    outputs: Type.Unknown({ description: "What the provider answered, secrets masked" }),
  },
  { description: "A resource in the stack's state" },
);

export const StatusView = Type.Object(
  {
    state: Type.Enum([...pipelineStates], { description: "The pipeline in one word" }),
    desiredRevision: Type.Integer({ description: "The revision that was asked for last" }),
    appliedRevision: Type.Optional(Type.Integer({ description: "The revision applied last" })),
    lastChange: Type.Optional(OperationRef),
    expiresAt: Type.Optional(Expiry),
    expiryWarnedAt: Type.Optional(Moment("When its team was warned of that")),
    drift: Type.Optional(
      Type.Object(
        {
          checkedAt: Moment("When the last drift check ended"),
          drifted: Type.Integer({
            description: "Resources with drift that is open: neither ignored, accepted nor benign",
          }),
        },
        { description: "The last drift check since the last change" },
      ),
    ),
    phases: Type.Array(
      Type.Object({
        phase: PhaseName,
        state: Type.Enum([...phaseStates], {
          description: "The phase in one word",
        }),
        resources: Type.Integer({ description: "AWS resources it has" }),
        drifted: Type.Integer({ description: "Of these, how many drifted" }),
      }),
      { description: "The five phases of the AI development life cycle, in order" },
    ),
    data: Type.Optional(DataStatus),
    sageMaker: Type.Object(
      {
        unavailable: Type.Optional(Type.String({ description: "Why SageMaker could not be asked" })),
        pipeline: Type.Optional(
          Type.Object(
            {
              name: Type.String(),
              arn: Type.String(),
              status: Type.String(),
              lastModifiedAt: Type.Optional(Moment("Last change")),
            },
            { description: "The SageMaker pipeline" },
          ),
        ),
        executions: Type.Array(
          Type.Object({
            arn: Type.String(),
            status: Type.String(),
            startedAt: Type.Optional(Moment("Start of the execution")),
          }),
          { description: "Its newest executions" },
        ),
        modelPackages: Type.Array(
          Type.Object({
            arn: Type.String(),
            version: Type.Optional(Type.Integer()),
            status: Type.String(),
            approval: Type.Optional(Type.String()),
            createdAt: Type.Optional(Moment("When it was registered")),
          }),
          { description: "Its newest model packages" },
        ),
      },
      { description: "What SageMaker says now" },
    ),
  },
  { description: "Where a pipeline stands" },
);

export function summaryView(pipeline: Summary): Static<typeof PipelineSummary> {
  return {
    id: pipeline.id,
    team: pipeline.team,
    name: pipeline.name,
    account: pipeline.account,
    state: pipeline.state,
    desiredRevision: pipeline.desiredRevision,
    ...(pipeline.appliedRevision === null ? {} : { appliedRevision: pipeline.appliedRevision }),
    ...(pipeline.lastChange === null ? {} : { lastChange: pipeline.lastChange }),
    ...(pipeline.expiresAt === null ? {} : { expiresAt: pipeline.expiresAt.toISOString() }),
    createdAt: pipeline.createdAt.toISOString(),
    updatedAt: pipeline.updatedAt.toISOString(),
  };
}

export function revisionView({ requestedBy, reason, restores, createdAt, ...revision }: Revision) {
  return {
    ...revision,
    createdAt: createdAt.toISOString(),
    ...(requestedBy === null ? {} : { requestedBy }),
    ...(reason === null ? {} : { reason }),
    ...(restores === null ? {} : { restores }),
  };
}
