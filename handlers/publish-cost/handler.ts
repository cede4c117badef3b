import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { BudgetsClient, DescribeBudgetCommand } from "@aws-sdk/client-budgets";
import { awsClient } from "../runtime/aws.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createTelemetry, type OwnMetric } from "../runtime/telemetry.ts";

export type CostAnswer =
  | { readonly state: "published"; readonly usd: number }
  | { readonly state: "unknown" };

/**
 * Publishes what the pipeline cost since the month began, as its budget knows it. A pipeline always costs something: a budget that counts
 * nothing sees nothing, because the cost-allocation tags are not active or the month has just begun. Then nothing is published. The
 * metric is a maximum over time, so an event may come twice.
 */
export function createHandler(env: Environment) {
  const config = variables(env, ["AIDLC_ACCOUNT", "AIDLC_BUDGET"]);
  const { logger, metrics } = createTelemetry("publish-cost", env);
  const budgets = awsClient(BudgetsClient, env);

  return async (): Promise<CostAnswer> => {
    const { Budget } = await budgets.send(
      new DescribeBudgetCommand({ AccountId: config.AIDLC_ACCOUNT, BudgetName: config.AIDLC_BUDGET }),
    );
    const { Amount, Unit } = Budget?.CalculatedSpend?.ActualSpend ?? {};
    const usd = Unit === "USD" ? Number(Amount) : 0;
    if (!(usd > 0)) {
      logger.warn("the budget counts nothing in US dollars", { amount: Amount, unit: Unit });
      return { state: "unknown" };
    }
    metrics.addMetric("Cost" satisfies OwnMetric, MetricUnit.NoUnit, usd);
    metrics.publishStoredMetrics();
    return { state: "published", usd };
  };
}
