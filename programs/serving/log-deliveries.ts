import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { onBehalfOf, type Statement } from "../policy-document.ts";
import { EDGE_REGION } from "./edge/region.ts";
import { LOAD_BALANCER_LOGS } from "./internal-load-balancer.ts";

/** Who in front of the model writes access logs to the log bucket, which is SSE-S3 because neither can use a customer key. */
export function servingLogDeliveries({ account, arns, names, spec }: PipelineSetting): Statement[] {
  const { accountId } = account;
  const bucketArn = arns.bucket(names.bucket("access-logs"));
  const put = { Effect: "Allow", Action: "s3:PutObject" } as const;
  const loadBalancer: Statement = {
    ...put,
    Sid: "LoadBalancerLogs",
    Principal: { Service: "logdelivery.elasticloadbalancing.amazonaws.com" },
    Resource: `${bucketArn}/${LOAD_BALANCER_LOGS}/AWSLogs/${accountId}/*`,
    Condition: onBehalfOf(
      accountId,
      arns.regional("elasticloadbalancing", `loadbalancer/app/${names.short("*")}`),
    ),
  };
  const edge: Statement = {
    ...put,
    Sid: "EdgeLogs",
    Principal: { Service: "delivery.logs.amazonaws.com" },
    Resource: `${bucketArn}/AWSLogs/${accountId}/CloudFront/*`,
    Condition: {
      StringEquals: { "aws:SourceAccount": accountId, "s3:x-amz-acl": "bucket-owner-full-control" },
      ArnLike: {
        "aws:SourceArn": `arn:${arns.partition}:logs:${EDGE_REGION}:${accountId}:delivery-source:${names.short("edge")}`,
      },
    },
  };
  return [
    ...(spec.serving.mode === "ecs" ? [loadBalancer] : []),
    ...(spec.profile === "production" && arns.partition === "aws" ? [edge] : []),
  ];
}
