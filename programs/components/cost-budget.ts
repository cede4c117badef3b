import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { TAG, type Tags } from "../tags.ts";

export interface CostBudgetArgs {
  readonly name: string;
  readonly accountId: string;
  readonly monthlyUsd: number;
  readonly team: string;
  readonly pipeline: string;
  readonly warningTopicArn: pulumi.Input<string>;
  readonly criticalTopicArn: pulumi.Input<string>;
  readonly tags: Tags;
}

/** AWS takes one topic and ten addresses a notification, and five notifications a budget. */
const NOTIFICATIONS = [
  { threshold: 50, notificationType: "ACTUAL", critical: false },
  { threshold: 80, notificationType: "ACTUAL", critical: false },
  { threshold: 100, notificationType: "ACTUAL", critical: true },
  { threshold: 100, notificationType: "FORECASTED", critical: false },
] as const;

/**
 * Monthly cost of one pipeline. It counts by tag: until the account's payer activates `aidlc:team` and
 * `aidlc:pipeline` as cost-allocation tags, and for a day after, the budget sees nothing.
 */
export class CostBudget extends pulumi.ComponentResource {
  readonly name: pulumi.Output<string>;

  constructor(name: string, args: CostBudgetArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:CostBudget", name, {}, opts);
    const tagged = (key: string, value: string) => ({
      tags: { key, values: [value], matchOptions: ["EQUALS"] },
    });
    const budget = new aws.budgets.Budget(
      name,
      {
        name: args.name,
        accountId: args.accountId,
        budgetType: "COST",
        timeUnit: "MONTHLY",
        limitAmount: args.monthlyUsd.toFixed(2),
        limitUnit: "USD",
        // Two values of the older costFilters would mean "or".
        metrics: "UnblendedCost",
        filterExpression: { ands: [tagged(TAG.team, args.team), tagged(TAG.pipeline, args.pipeline)] },
        notifications: NOTIFICATIONS.map(({ threshold, notificationType, critical }) => ({
          comparisonOperator: "GREATER_THAN",
          threshold,
          thresholdType: "PERCENTAGE",
          notificationType,
          subscriberSnsTopicArns: [critical ? args.criticalTopicArn : args.warningTopicArn],
        })),
        tags: args.tags,
      },
      { parent: this },
    );
    this.name = budget.name;
    this.registerOutputs({ name: budget.name });
  }
}
