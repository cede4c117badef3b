import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { arnsIn } from "../../arns.ts";
import { EncryptionKey } from "../../components/encryption-key.ts";
import { administration, logGroups } from "../../components/key-policy.ts";
import type { PipelineKeys } from "../../components/pipeline-keys.ts";
import type { ProtectedBucket } from "../../components/protected-bucket.ts";
import type { PipelineSetting } from "../../phases/pipeline-setting.ts";
import type { Tags } from "../../tags.ts";
import { Distribution } from "./distribution.ts";
import { EDGE_REGION } from "./region.ts";
import { WebAcl } from "./web-acl.ts";
import { webAclLogGroup } from "./web-acl-names.ts";

export interface EdgeArgs {
  readonly setting: PipelineSetting;
  readonly keys: PipelineKeys;
  readonly accessLogs: ProtectedBucket;
  readonly apiId: pulumi.Input<string>;
  readonly stageArn: pulumi.Input<string>;
  readonly tags: Tags;
}

const FIREWALL = "firewall";
const EDGE_FIREWALL = "edge-firewall";

/**
 * What stands between the internet and the API in production. The API stays reachable under its own name, so it has the same
 * firewall itself; a secret header from CloudFront would guard nothing more, would stand in state and configuration, and would have
 * to be rotated.
 */
export class Edge extends pulumi.ComponentResource {
  /** Absent in GovCloud, which has no CloudFront. */
  readonly distribution: Distribution | undefined;

  constructor(name: string, args: EdgeArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:Edge", name, {}, opts);
    const { setting, keys, accessLogs, apiId, stageArn, tags } = args;
    const firewall = new WebAcl(
      FIREWALL,
      { setting, part: FIREWALL, scope: "REGIONAL", logKeyArn: keys.logs.arn, tags },
      { parent: this },
    );
    new aws.wafv2.WebAclAssociation(
      `${FIREWALL}-association`,
      { resourceArn: stageArn, webAclArn: firewall.arn },
      { parent: this },
    );
    if (setting.arns.partition !== "aws") return;
    const edgeFirewall = new WebAcl(
      EDGE_FIREWALL,
      {
        setting,
        part: EDGE_FIREWALL,
        scope: "CLOUDFRONT",
        region: EDGE_REGION,
        logKeyArn: this.logKey(args),
        tags,
      },
      { parent: this },
    );
    this.distribution = new Distribution(
      "distribution",
      { setting, apiId, webAclArn: edgeFirewall.arn, accessLogs, tags },
      { parent: this },
    );
    this.registerOutputs({});
  }

  /** A log group takes a key of its own region only. */
  private logKey({ setting, keys, tags }: EdgeArgs): pulumi.Output<string> {
    const { account, names, team, pipeline } = setting;
    if (account.region === EDGE_REGION) return keys.logs.arn;
    const arns = arnsIn({ accountId: account.accountId, region: EDGE_REGION });
    return new EncryptionKey(
      "edge-logs-key",
      {
        alias: names.keyAlias("edge-logs"),
        description: `AIDLC ${team}/${pipeline}: logs of the edge`,
        policy: [
          administration(arns),
          logGroups(EDGE_REGION, [arns.logGroup(webAclLogGroup(names, EDGE_FIREWALL))]),
        ],
        deletionWindowInDays: 7,
        // It goes when the edge goes, like the logs under it: kept, it would still hold its alias when the edge comes back.
        dataOnDestroy: "delete",
        region: EDGE_REGION,
        tags,
      },
      { parent: this },
    ).arn;
  }
}
