import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ProtectedBucket } from "../../components/protected-bucket.ts";
import type { PipelineSetting } from "../../phases/pipeline-setting.ts";
import type { Tags } from "../../tags.ts";
import { STAGE } from "../api-names.ts";
import { EDGE_REGION } from "./region.ts";

export interface DistributionArgs {
  readonly setting: PipelineSetting;
  readonly apiId: pulumi.Input<string>;
  readonly webAclArn: pulumi.Input<string>;
  readonly accessLogs: ProtectedBucket;
  readonly tags: Tags;
}

// AWS's own policies have the same ids everywhere
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html).
const CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
/** The API answers to its own host name only. */
const ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac";

// CloudFront takes POST only together with all the others; the API refuses what it has no route for.
const METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

const ORIGIN = "api";

/** The API at AWS's edge: TLS ends near the caller, nothing is cached, and answers carry security headers. */
export class Distribution extends pulumi.ComponentResource {
  readonly id: pulumi.Output<string>;
  readonly domainName: pulumi.Output<string>;

  constructor(name: string, args: DistributionArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:Distribution", name, {}, opts);
    const { setting, apiId, webAclArn, tags } = args;
    const { account, spec, team, pipeline } = setting;
    const { publicDomain } = spec.serving;
    const distribution = new aws.cloudfront.Distribution(
      name,
      {
        enabled: true,
        comment: `AIDLC ${team}/${pipeline}: predictions`,
        aliases: publicDomain === undefined ? [] : [publicDomain.name],
        httpVersion: "http2and3",
        isIpv6Enabled: true,
        webAclId: webAclArn,
        origins: [
          {
            originId: ORIGIN,
            domainName: pulumi.interpolate`${apiId}.execute-api.${account.region}.amazonaws.com`,
            originPath: `/${STAGE}`,
            customOriginConfig: {
              httpPort: 80,
              httpsPort: 443,
              originProtocolPolicy: "https-only",
              originSslProtocols: ["TLSv1.2"],
            },
          },
        ],
        defaultCacheBehavior: {
          targetOriginId: ORIGIN,
          viewerProtocolPolicy: "https-only",
          allowedMethods: METHODS,
          cachedMethods: ["GET", "HEAD"],
          compress: true,
          cachePolicyId: CACHING_DISABLED,
          originRequestPolicyId: ALL_BUT_HOST,
          responseHeadersPolicyId: this.headers(name, setting),
        },
        restrictions: { geoRestriction: { restrictionType: "none" } },
        viewerCertificate:
          publicDomain === undefined
            ? { cloudfrontDefaultCertificate: true }
            : {
                acmCertificateArn: publicDomain.certificateArn,
                sslSupportMethod: "sni-only",
                minimumProtocolVersion: "TLSv1.2_2021",
              },
        tags,
      },
      { parent: this },
    );
    this.log(name, args, distribution);
    this.id = distribution.id;
    this.domainName = distribution.domainName;
    this.registerOutputs({ domainName: distribution.domainName });
  }

  private headers(name: string, { names }: PipelineSetting): pulumi.Output<string> {
    return new aws.cloudfront.ResponseHeadersPolicy(
      `${name}-headers`,
      {
        name: names.named("headers"),
        comment: "Answers are data: nothing embeds, sniffs or keeps them",
        securityHeadersConfig: {
          strictTransportSecurity: {
            accessControlMaxAgeSec: 63_072_000,
            includeSubdomains: true,
            override: true,
          },
          contentTypeOptions: { override: true },
          frameOptions: { frameOption: "DENY", override: true },
          referrerPolicy: { referrerPolicy: "no-referrer", override: true },
          contentSecurityPolicy: {
            contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'",
            override: true,
          },
        },
      },
      { parent: this },
    ).id;
  }

  /** Standard logging of the second version: it delivers as a service that the bucket's policy can name. */
  private log(
    name: string,
    { setting, accessLogs, tags }: DistributionArgs,
    distribution: aws.cloudfront.Distribution,
  ): void {
    const { arns, names } = setting;
    const region = EDGE_REGION;
    const source = new aws.cloudwatch.LogDeliverySource(
      `${name}-log-source`,
      {
        name: names.short("edge"),
        logType: "ACCESS_LOGS",
        resourceArn: distribution.arn,
        region,
        tags,
      },
      { parent: this },
    );
    const destination = new aws.cloudwatch.LogDeliveryDestination(
      `${name}-log-destination`,
      {
        name: names.short("edge"),
        outputFormat: "json",
        deliveryDestinationConfiguration: {
          destinationResourceArn: accessLogs.guardedName.apply((bucket) => arns.bucket(bucket)),
        },
        region,
        tags,
      },
      { parent: this },
    );
    new aws.cloudwatch.LogDelivery(
      `${name}-log-delivery`,
      {
        deliverySourceName: source.name,
        deliveryDestinationArn: destination.arn,
        s3DeliveryConfigurations: [
          { enableHiveCompatiblePath: false, suffixPath: "/{DistributionId}/{yyyy}/{MM}/{dd}/{HH}" },
        ],
        region,
        tags,
      },
      { parent: this },
    );
  }
}
