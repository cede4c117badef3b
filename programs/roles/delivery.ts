import { useArtifacts } from "../delivery/grants.ts";
import { allow, publishAlerts } from "../grants.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedFor } from "./trust.ts";

export const delivery: RoleDefinition = {
  description: "Takes a source bundle through scans, builds, tests and approval",
  trust: trustedFor("codepipeline.amazonaws.com", ({ arns, names }) =>
    arns.regional("codepipeline", names.delivery),
  ),
  keyUses: ["alerts"],
  grants: (around) => {
    const { arns, foundation, names } = around.setting;
    const { bucket } = foundation.artifacts;
    const machine = arns.regional("states", `stateMachine:${names.named("release")}`);
    return [
      allow({
        Sid: "ReadSource",
        Action: ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion"],
        Resource: `${bucket.arn}/${names.sourceKey}`,
      }),
      allow({
        Sid: "FindSource",
        Action: ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucket"],
        Resource: bucket.arn,
      }),
      ...useArtifacts(around),
      allow({
        Sid: "RunBuilds",
        Action: ["codebuild:BatchGetBuilds", "codebuild:StartBuild"],
        Resource: arns.regional("codebuild", `project/${names.prefix}-*`),
      }),
      allow({
        Sid: "StartMachine",
        Action: ["states:DescribeStateMachine", "states:StartExecution"],
        Resource: machine,
      }),
      allow({
        Sid: "FollowMachine",
        Action: "states:DescribeExecution",
        Resource: arns.regional("states", `execution:${names.named("release")}:*`),
      }),
      ...publishAlerts(around),
    ];
  },
};
