import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import { PROFILES } from "./profiles.ts";
import { Approvals } from "./spec/approvals.ts";
import { Dataset } from "./spec/dataset.ts";
import { Lifetime } from "./spec/lifetime.ts";
import { Alerts, Monitoring } from "./spec/monitoring.ts";
import { Reconciliation } from "./spec/reconciliation.ts";
import { Serving } from "./spec/serving.ts";
import { closed, closedWithDefault } from "./spec/shapes.ts";
import { Network, Notebook } from "./spec/surroundings.ts";
import { Training } from "./spec/training.ts";

export { type SpecProblem, specProblems } from "./spec-rules.ts";

export const DATA_CLASSIFICATIONS = ["public", "internal", "confidential", "restricted"] as const;
export const FRAMEWORKS = ["gdpr", "hipaa", "soc2", "pci-dss"] as const;
/** Desired state of a pipeline: the one source of validation, TypeScript type and OpenAPI. */
export const PipelineSpec = Type.Object(
  {
    apiVersion: Type.Literal("aidlc/v1", { description: "Version of this format." }),
    profile: Type.Enum([...PROFILES], {
      description: "How much hardening and spending.",
      default: "learning",
    }),
    account: Type.String({
      description: "Alias of the AWS account, as the team registered it.",
      pattern: "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
      maxLength: 32,
    }),
    owner: Type.String({
      description: "E-mail address of who answers for the pipeline.",
      pattern: "^[A-Za-z0-9._+=-]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$",
      maxLength: 254,
    }),
    dataClassification: Type.Enum([...DATA_CLASSIFICATIONS], {
      description: "Sensitivity of the data; confidential and restricted force stricter settings.",
    }),
    frameworks: Type.Array(Type.Enum([...FRAMEWORKS]), {
      description: "Compliance frameworks whose controls the pipeline must have.",
      uniqueItems: true,
      default: [],
    }),
    dataset: Dataset,
    training: Training,
    serving: Serving,
    notebook: Type.Optional(Notebook),
    monitoring: Monitoring,
    alerts: Alerts,
    network: Network,
    budget: Type.Object(
      {
        monthlyUsd: Type.Number({
          description: "Monthly limit in US dollars; alerts at 50, 80 and 100 % and on the forecast.",
          exclusiveMinimum: 0,
          maximum: 1_000_000,
          default: 25,
        }),
      },
      { ...closedWithDefault, description: "What the pipeline may cost." },
    ),
    ttl: Type.Optional(Lifetime),
    approvals: Approvals,
    reconcile: Reconciliation,
    tags: Type.Record(Type.String(), Type.String({ maxLength: 256 }), {
      description: "Further tags for every resource. Keys have 1 to 128 characters.",
      default: {},
    }),
  },
  { ...closed, title: "PipelineSpec", description: "Desired state of an AIDLC pipeline." },
);

export type PipelineSpec = Static<typeof PipelineSpec>;
export type DatasetColumn = PipelineSpec["dataset"]["schema"][number];
export type DataClassification = PipelineSpec["dataClassification"];
export type Framework = (typeof FRAMEWORKS)[number];

/**
 * Fills every default and checks the result against the schema. Leaves `value` untouched; throws a TypeBox
 * `AssertError` when it is not a spec. Rules across fields are `specProblems`.
 */
export function parseSpec(value: unknown): PipelineSpec {
  const filled = Value.Default(PipelineSpec, structuredClone(value));
  Value.Assert(PipelineSpec, filled);
  return filled;
}
