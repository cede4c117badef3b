import { pipelineNames } from "../../programs/names.ts";
import type { StackOwner } from "../operations/stack-owner.ts";
import { redactText } from "../redaction.ts";
import type { QuiesceClients } from "./clients.ts";
import { quiesce } from "./quiesce.ts";

const pollMs = 1_000;
// Less than a run may be silent, for nothing of it is heard meanwhile. An endpoint that is being made takes ten minutes to be there.
const patienceMs = 20 * 60_000;

/** Ends what a pipeline has at SageMaker before a destroy takes away what it needs. */
export function quiescePipeline(clients: QuiesceClients): NonNullable<StackOwner["quiesce"]> {
  return async ({ kind, team, subject, options }, account, { onEvent, signal }) => {
    if (kind !== "destroy" || subject.type !== "pipeline") return;
    const { prefix, named, jobPrefix } = pipelineNames({
      account: account.aws,
      team,
      pipeline: subject.pipeline,
    });
    await quiesce({
      client: clients(account, subject.pipeline),
      prefix,
      trainingPipeline: named("training"),
      validationJobs: jobPrefix("validate"),
      modelPackageGroup: named("models"),
      data: options.data ?? "retain",
      tell: (event) =>
        onEvent({ at: new Date(), phase: "deployment", event: { ...event, name: redactText(event.name) } }),
      signal,
      pollMs,
      patienceMs,
    });
  };
}
