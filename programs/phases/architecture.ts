import type * as pulumi from "@pulumi/pulumi";
import { CostBudget } from "../components/cost-budget.ts";
import { JobSecurityGroup } from "../components/job-security-group.ts";
import { Network } from "../components/network.ts";
import type { PipelineAlerts } from "../components/pipeline-alerts.ts";
import type { NetworkOutputs } from "../inputs.ts";
import { Phase } from "./phase.ts";
import type { PipelineSetting } from "./pipeline-setting.ts";

/** Address range of a dedicated network where the spec names none. */
const DEFAULT_CIDR = "10.80.0.0/20";

/** Where the pipeline's jobs run, and what the pipeline may cost. */
export class Architecture extends Phase {
  readonly network: pulumi.Output<NetworkOutputs> | NetworkOutputs;
  readonly subnetIds: readonly pulumi.Input<string>[];
  readonly securityGroupId: pulumi.Output<string>;

  constructor(setting: PipelineSetting, opts: pulumi.ComponentResourceOptions) {
    super("architecture", opts);
    const { account, foundation, names, spec } = setting;
    const dedicated = spec.network.dedicated
      ? new Network(
          "network",
          {
            name: names.prefix,
            cidr: spec.network.cidr ?? DEFAULT_CIDR,
            region: account.region,
            accountId: account.accountId,
            flowLogDestination: `${foundation.auditBucket.arn}/flow-logs/`,
            tags: this.tags,
          },
          { parent: this },
        )
      : undefined;
    this.network = dedicated?.outputs() ?? foundation.network;
    this.subnetIds = dedicated?.subnetIds ?? foundation.network.subnetIds;
    this.securityGroupId = new JobSecurityGroup(
      "jobs",
      {
        name: names.named("jobs"),
        vpcId: dedicated?.vpcId ?? foundation.network.vpcId,
        s3PrefixListId: dedicated?.s3PrefixListId ?? foundation.network.s3PrefixListId,
        distributed: spec.training.instanceCount > 1,
        tags: this.tags,
      },
      { parent: this },
    ).id;
    this.registerOutputs({});
  }

  /** The budget alerts through the topics, which a later phase creates. */
  limitCost(
    { account, names, spec, team, pipeline }: PipelineSetting,
    { topics }: PipelineAlerts,
  ): CostBudget {
    return new CostBudget(
      "budget",
      {
        name: names.prefix,
        accountId: account.accountId,
        monthlyUsd: spec.budget.monthlyUsd,
        team,
        pipeline,
        warningTopicArn: topics.warning.publishableArn,
        criticalTopicArn: topics.critical.publishableArn,
        tags: this.tags,
      },
      { parent: this },
    );
  }
}
