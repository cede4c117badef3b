import Type from "typebox";
import type { PipelineSpec } from "../spec.ts";
import type { SpecProblem } from "./problem.ts";
import { closed } from "./shapes.ts";

/** A year. */
const LONGEST_HOURS = 8_760;

export const Lifetime = Type.Object(
  {
    hours: Type.Integer({
      description: "Hours after the last apply at which the service tears the pipeline down; data stays.",
      minimum: 1,
      maximum: LONGEST_HOURS,
    }),
    evenProduction: Type.Boolean({
      description: "Whether this also holds for a pipeline of the profile production.",
      default: false,
    }),
  },
  { ...closed, description: "How long the pipeline lives unless it is applied again or extended." },
);

/** A production pipeline doesn't end by itself unless somebody says that it shall. */
export function* lifetimeProblems({ ttl, profile }: PipelineSpec): Iterable<SpecProblem> {
  if (ttl === undefined || profile !== "production" || ttl.evenProduction) return;
  yield {
    path: "/ttl",
    message: "would tear a production pipeline down: leave it out, or set evenProduction to true",
  };
}
