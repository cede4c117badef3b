import type * as pulumi from "@pulumi/pulumi";
import { CostBudget } from "../components/cost-budget.ts";
import { Network } from "../components/network.ts";
import type { PipelineAlerts } from "../components/pipeline-alerts.ts";
import type { JobNetwork } from "../components/pipeline-roles.ts";
import { WorkloadSecurityGroup } from "../components/workload-security-group.ts";
import type { NetworkOutputs } from "../inputs.ts";
import { Phase } from "./phase.ts";
import type { PipelineSetting } from "./pipeline-setting.ts";

/** Address range of a dedicated network where the spec names none. */
const DEFAULT_CIDR = "10.80.0.0/20";

/** Where the pipeline computes, and what it may cost. */
export class Architecture extends Phase {
  readonly network: pulumi.Output<NetworkOutputs> | NetworkOutputs;
  readonly jobNetwork: JobNetwork;

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
            isPrivate: spec.profile === "production",
            tags: this.tags,
          },
          { parent: this },
        )
      : undefined;
    this.network = dedicated?.outputs() ?? foundation.network;
    const { vpcId, subnetIds, privateSubnetIds, endpointSecurityGroupId, s3PrefixListId } =
      dedicated ?? foundation.network;
    const isPrivate = spec.profile === "production";
    const group = (name: string, description: string, peers: boolean) =>
      new WorkloadSecurityGroup(
        name,
        {
          name: names.named(name),
          description,
          vpcId,
          s3PrefixListId,
          endpointSecurityGroupId: isPrivate ? endpointSecurityGroupId : undefined,
          peers,
          tags: this.tags,
        },
        { parent: this },
      ).id;
    this.jobNetwork = {
      subnetIds: [...(isPrivate ? privateSubnetIds : subnetIds)],
      securityGroupId: group("jobs", "SageMaker jobs", spec.training.instanceCount > 1),
      ...(isPrivate && {
        functionSecurityGroupId: group(
          "functions",
          "Functions: S3 and AWS services inside the network",
          false,
        ),
      }),
    };
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
