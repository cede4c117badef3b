import Type from "typebox";
import { scheduleProblem } from "../schedule-expression.ts";
import type { PipelineSpec } from "../spec.ts";
import type { SpecProblem } from "./problem.ts";
import { closedWithDefault } from "./shapes.ts";

export const RECONCILE_MODES = ["off", "detect", "remediate"] as const;

export const Reconciliation = Type.Object(
  {
    mode: Type.Enum([...RECONCILE_MODES], {
      description:
        "What is done on schedule: nothing, look for what differs from what was applied, or also bring that back.",
      default: "detect",
    }),
    schedule: Type.String({
      description:
        "When: a cron(…) or rate(…) expression as EventBridge Scheduler takes it, in UTC; once an hour at most. Pipelines of one schedule begin spread over a while.",
      maxLength: 256,
      default: "rate(1 day)",
    }),
  },
  { ...closedWithDefault, description: "How drift is dealt with." },
);

export function* reconciliationProblems({ reconcile }: PipelineSpec): Iterable<SpecProblem> {
  const message = scheduleProblem(reconcile.schedule);
  if (message !== undefined) yield { path: "/reconcile/schedule", message };
}
