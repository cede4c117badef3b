import { useArtifacts } from "../delivery/grants.ts";
import { allow, writeOwnLogs } from "../grants.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedForBuilds } from "./trust.ts";

export const cicd: RoleDefinition = {
  description: "Builds this pipeline's images and reads what their scans found",
  trust: trustedForBuilds,
  keyUses: [],
  grants: (around) => [
    ...useArtifacts(around),
    allow({
      Sid: "PushImages",
      Action: [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:DescribeImageScanFindings",
        "ecr:DescribeImages",
        "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
      ],
      Resource: (["training", "inference"] as const).map((kind) =>
        around.setting.arns.repository(around.setting.names.repository(kind)),
      ),
    }),
    allow({ Sid: "RegistryToken", Action: "ecr:GetAuthorizationToken", Resource: "*" }),
    writeOwnLogs(around, "cicd"),
  ],
};
