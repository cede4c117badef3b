import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PipelineSetting } from "../../phases/pipeline-setting.ts";
import type { Tags } from "../../tags.ts";
import { webAclLogGroup } from "./web-acl-names.ts";
import { webAclRules } from "./web-acl-rules.ts";

export interface WebAclArgs {
  readonly setting: PipelineSetting;
  /** Part of its name. */
  readonly part: string;
  readonly scope: "REGIONAL" | "CLOUDFRONT";
  /** Where it lives, if not in the pipeline's region. */
  readonly region?: string;
  /** Of the region it lives in. */
  readonly logKeyArn: pulumi.Input<string>;
  readonly tags: Tags;
}

/** A firewall in front of the API, with a log of what it saw. */
export class WebAcl extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;

  constructor(name: string, args: WebAclArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:WebAcl", name, {}, opts);
    const { setting, part, scope, logKeyArn, tags } = args;
    const { names, spec, team, pipeline } = setting;
    const where = args.region === undefined ? {} : { region: args.region };
    const acl = new aws.wafv2.WebAcl(
      name,
      {
        name: names.named(part),
        description: `AIDLC ${team}/${pipeline}`,
        scope,
        defaultAction: { allow: {} },
        rules: webAclRules(spec.serving),
        visibilityConfig: {
          cloudwatchMetricsEnabled: true,
          sampledRequestsEnabled: false,
          metricName: names.named(part),
        },
        ...where,
        tags,
      },
      { parent: this },
    );
    const logs = new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      {
        name: webAclLogGroup(names, part),
        kmsKeyId: logKeyArn,
        retentionInDays: spec.monitoring.logRetentionDays,
        ...where,
        tags,
      },
      { parent: this },
    );
    new aws.wafv2.WebAclLoggingConfiguration(
      `${name}-logging`,
      {
        resourceArn: acl.arn,
        logDestinationConfigs: [logs.arn],
        redactedFields: ["authorization", "x-api-key", "x-amz-security-token"].map((header) => ({
          singleHeader: { name: header },
        })),
        ...where,
      },
      { parent: this },
    );
    this.arn = acl.arn;
    this.registerOutputs({ arn: acl.arn });
  }
}
