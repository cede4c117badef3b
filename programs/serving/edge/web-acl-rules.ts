import type * as aws from "@pulumi/aws";
import type { PipelineSpec } from "../../spec.ts";

type Rule = aws.types.input.wafv2.WebAclRule;

const visible = (metricName: string) => ({
  cloudwatchMetricsEnabled: true,
  // Samples show whole requests, authorization included, to whoever may read metrics; the log redacts it.
  sampledRequestsEnabled: false,
  metricName,
});

const managed = (name: string, priority: number, overrides: readonly string[] = []): Rule => ({
  name,
  priority,
  overrideAction: { none: {} },
  statement: {
    managedRuleGroupStatement: {
      vendorName: "AWS",
      name: `AWSManagedRules${name}`,
      ruleActionOverrides: overrides.map((rule) => ({ name: rule, actionToUse: { count: {} } })),
    },
  },
  visibilityConfig: visible(name),
});

/** AWS looks at five minutes and takes no limit below ten. */
function requestsPerAddress({ throttle }: PipelineSpec["serving"]): number {
  return Math.max(10, Math.ceil(throttle.ratePerSecond * 300));
}

/**
 * What never reaches the API. Hosting providers are only counted, because that is where many callers run. The size of a body is only counted: a request with many rows is larger than the 8 KB that the common
 * rules allow, and API Gateway has its own limit.
 */
export function webAclRules(serving: PipelineSpec["serving"]): Rule[] {
  return [
    {
      name: "RatePerAddress",
      priority: 0,
      action: { block: { customResponse: { responseCode: 429 } } },
      statement: {
        rateBasedStatement: {
          aggregateKeyType: "IP",
          evaluationWindowSec: 300,
          limit: requestsPerAddress(serving),
        },
      },
      visibilityConfig: visible("RatePerAddress"),
    },
    managed("AmazonIpReputationList", 10),
    managed("AnonymousIpList", 20, ["HostingProviderIPList"]),
    managed("CommonRuleSet", 30, ["SizeRestrictions_BODY"]),
    managed("KnownBadInputsRuleSet", 40),
  ];
}
