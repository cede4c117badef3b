import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import type { Tags } from "../tags.ts";
import { STAGE } from "./api-names.ts";

/** The share of requests that is traced beyond the first of every second. */
const SAMPLED_FRACTION = 0.05;

/**
 * Which of the API's requests X-Ray follows, and where they are found. An account has 25 rules and 25 groups to a region before AWS
 * raises the quota (https://docs.aws.amazon.com/general/latest/gr/xray.html).
 */
export function traceRequests(
  { names }: PipelineSetting,
  stageArn: pulumi.Input<string>,
  tags: Tags,
  parent: pulumi.Resource,
): void {
  const service = `${names.named("api")}/${STAGE}`;
  new aws.xray.SamplingRule(
    "api-sampling",
    {
      ruleName: names.short("api"),
      priority: 1000,
      version: 1,
      reservoirSize: 1,
      fixedRate: SAMPLED_FRACTION,
      serviceName: service,
      serviceType: "AWS::ApiGateway::Stage",
      resourceArn: stageArn,
      host: "*",
      httpMethod: "*",
      urlPath: "*",
      tags,
    },
    { parent },
  );
  new aws.xray.Group(
    "api-traces",
    {
      groupName: names.short("api"),
      filterExpression: `service("${service}")`,
      insightsConfiguration: { insightsEnabled: true, notificationsEnabled: false },
      tags,
    },
    { parent },
  );
}
