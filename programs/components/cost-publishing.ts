import * as pulumi from "@pulumi/pulumi";
import { functionSchedule, type ScheduledFunctionArgs } from "./function-schedule.ts";
import { HandlerFunction } from "./handler-function.ts";

/**
 * Budgets are brought up to date up to three times a day
 * (https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-managing-costs.html).
 */
const COST_SCHEDULE = "rate(8 hours)";

/** Makes a metric of what the pipeline's budget counts. */
export class CostPublishing extends pulumi.ComponentResource {
  constructor(name: string, args: ScheduledFunctionArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:CostPublishing", name, {}, opts);
    functionSchedule(
      "cost-schedule",
      new HandlerFunction("publish-cost", args, { parent: this }),
      { part: "cost", description: "Publishes the month's cost", expression: COST_SCHEDULE },
      args,
      this,
    );
    this.registerOutputs({});
  }
}
