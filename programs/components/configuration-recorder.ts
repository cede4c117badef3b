import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { AUDIT_PREFIX } from "../audit-deliveries.ts";
import { CONFIG_RULES, recordedTypes, recordsIam } from "../config-rules.ts";
import type { AccountSetting } from "../phases/account-setting.ts";
import type { Tags } from "../tags.ts";

export interface ConfigurationRecorderArgs extends AccountSetting {
  /** Known once the bucket accepts what AWS Config delivers. */
  readonly bucket: pulumi.Input<string>;
  readonly keyArn: pulumi.Input<string>;
  readonly tags: Tags;
}

/** What AWS Config takes of the resources' history, where it keeps it, and the rules that judge it. */
export class ConfigurationRecorder extends pulumi.ComponentResource {
  constructor(name: string, args: ConfigurationRecorderArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:ConfigurationRecorder", name, {}, opts);
    const { configRecorder } = args.existing;
    const recorder = configRecorder === undefined ? this.recorder(name, args) : pulumi.output(configRecorder);
    this.rules(recorder, args);
    this.registerOutputs({});
  }

  /**
   * AWS wants recorder, channel, start in this order, and allows one of each: so all bear one name, and each takes it from
   * the one before.
   */
  private recorder(name: string, args: ConfigurationRecorderArgs): pulumi.Output<string> {
    const { account, names, profile, existing } = args;
    const everything = profile === "production";
    const recorder = new aws.cfg.Recorder(
      name,
      {
        name: names.configRecorder,
        roleArn: this.serviceRole(args),
        recordingGroup: everything
          ? {
              allSupported: true,
              includeGlobalResourceTypes: recordsIam(account.region),
              recordingStrategies: [{ useOnly: "ALL_SUPPORTED_RESOURCE_TYPES" }],
            }
          : {
              allSupported: false,
              includeGlobalResourceTypes: false,
              resourceTypes: [...recordedTypes(account.region)],
              recordingStrategies: [{ useOnly: "INCLUSION_BY_RESOURCE_TYPES" }],
            },
        // Security Hub judges continuous records only; one item a day is what a quiet account pays least for.
        recordingMode: { recordingFrequency: everything ? "CONTINUOUS" : "DAILY" },
      },
      { parent: this },
    );
    const channel =
      existing.configDeliveryChannel === undefined ? this.channel(name, args, recorder).name : recorder.name;
    return new aws.cfg.RecorderStatus(`${name}-status`, { name: channel, isEnabled: true }, { parent: this })
      .name;
  }

  private channel(name: string, args: ConfigurationRecorderArgs, recorder: aws.cfg.Recorder) {
    return new aws.cfg.DeliveryChannel(
      `${name}-channel`,
      {
        name: recorder.name,
        s3BucketName: args.bucket,
        s3KeyPrefix: AUDIT_PREFIX.config,
        s3KmsKeyArn: args.keyArn,
        snapshotDeliveryProperties: { deliveryFrequency: "TwentyFour_Hours" },
      },
      { parent: this },
    );
  }

  /**
   * AWS's own role for AWS Config, the only one that Security Hub accepts (control Config.1). The account has one for all
   * regions, so none of them may take it away.
   */
  private serviceRole({ account, arns, existing }: ConfigurationRecorderArgs): pulumi.Input<string> {
    const awsServiceName = "config.amazonaws.com";
    if (existing.configServiceRole !== undefined) {
      return `arn:${arns.partition}:iam::${account.accountId}:role/aws-service-role/${awsServiceName}/${existing.configServiceRole}`;
    }
    return new aws.iam.ServiceLinkedRole(
      "config-service-role",
      { awsServiceName },
      { parent: this, retainOnDelete: true },
    ).arn;
  }

  /** A rule needs a recorder, which no input of it carries: its name waits for the recorder instead. */
  private rules(recorder: pulumi.Output<string>, { names, tags }: ConfigurationRecorderArgs): void {
    for (const { name, identifier, description } of CONFIG_RULES) {
      new aws.cfg.Rule(
        `config-${name}`,
        {
          name: recorder.apply(() => names.configRule(name)),
          description,
          source: { owner: "AWS", sourceIdentifier: identifier },
          tags,
        },
        { parent: this },
      );
    }
  }
}
