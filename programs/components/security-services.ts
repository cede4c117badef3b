import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { AccountSetting } from "../phases/account-setting.ts";
import type { Tags } from "../tags.ts";

export interface SecurityServicesArgs extends AccountSetting {
  readonly tags: Tags;
}

/** Bought by the gigabyte or the scan, so only what guards something that pipelines have. */
const GUARDED: readonly string[] = ["S3_DATA_EVENTS", "LAMBDA_NETWORK_LOGS", "EBS_MALWARE_PROTECTION"];

/** A new detector comes with most of its features on; these guard what no pipeline has. */
const UNGUARDED: readonly string[] = ["EKS_AUDIT_LOGS", "RDS_LOGIN_EVENTS", "RUNTIME_MONITORING"];

const AGENTS = ["EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT"];

/** Who looks for trouble: GuardDuty in what happens, Security Hub in how things are set, Access Analyzer in who may. */
export class SecurityServices extends pulumi.ComponentResource {
  constructor(name: string, args: SecurityServicesArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:SecurityServices", name, {}, opts);
    const { existing } = args;
    if (existing.guardDuty === undefined) this.detector(args);
    if (existing.securityHub === undefined) this.hub(args);
    if (existing.accessAnalyzer === undefined) this.analyzer(args);
    this.registerOutputs({});
  }

  private detector({ profile, tags }: SecurityServicesArgs): void {
    const detector = new aws.guardduty.Detector(
      "guardduty",
      {
        enable: true,
        findingPublishingFrequency: profile === "production" ? "FIFTEEN_MINUTES" : "SIX_HOURS",
        tags,
      },
      { parent: this },
    );
    const enabled = profile === "production" ? GUARDED : ["S3_DATA_EVENTS"];
    for (const name of [...GUARDED, ...UNGUARDED]) {
      const status = enabled.includes(name) ? "ENABLED" : "DISABLED";
      new aws.guardduty.DetectorFeature(
        `guardduty-${name.toLowerCase().replaceAll("_", "-")}`,
        {
          detectorId: detector.id,
          name,
          status,
          // AWS names the agents of a feature that is off as well: left out they would differ with every check.
          ...(name === "RUNTIME_MONITORING" && {
            additionalConfigurations: AGENTS.map((agent) => ({ name: agent, status })),
          }),
        },
        { parent: this },
      );
    }
  }

  private hub({ account: { region }, arns }: SecurityServicesArgs): void {
    const hub = new aws.securityhub.Account(
      "security-hub",
      // The standards are chosen below: by default AWS would subscribe to old ones too.
      {
        enableDefaultStandards: false,
        autoEnableControls: true,
        controlFindingGenerator: "SECURITY_CONTROL",
      },
      { parent: this },
    );
    const standards = {
      "best-practices": "aws-foundational-security-best-practices/v/1.0.0",
      cis: "cis-aws-foundations-benchmark/v/3.0.0",
    };
    for (const [name, standard] of Object.entries(standards)) {
      new aws.securityhub.StandardsSubscription(
        `security-hub-${name}`,
        {
          // Known beforehand; a subscription needs the hub.
          standardsArn: hub.id.apply(
            () => `arn:${arns.partition}:securityhub:${region}::standards/${standard}`,
          ),
        },
        { parent: this },
      );
    }
  }

  /** For access from outside, which is free; the analyzer of unused access costs by the role and month. */
  private analyzer({ names, tags }: SecurityServicesArgs): void {
    new aws.accessanalyzer.Analyzer(
      "access-analyzer",
      { analyzerName: names.accessAnalyzer, type: "ACCOUNT", tags },
      { parent: this },
    );
  }
}
