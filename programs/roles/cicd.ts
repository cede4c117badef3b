import { readArtifacts } from "../delivery/grants.ts";
import { allow, writeOwnLogs } from "../grants.ts";
import { REPOSITORIES } from "../names.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedForBuilds } from "./trust.ts";

export const cicd: RoleDefinition = {
  description: "Builds this pipeline's images and reads what their scans found",
  trust: trustedForBuilds,
  keyUses: [],
  grants: (around) => [
    ...readArtifacts(around),
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
      Resource: REPOSITORIES.map((kind) =>
        around.setting.arns.repository(around.setting.names.repository(kind)),
      ),
    }),
    // Enhanced scanning is Amazon Inspector's, which has no resource to grant on.
    ...(around.setting.foundation.profile === "production"
      ? [
          allow({
            Sid: "ReadScans",
            Action: ["inspector2:ListCoverage", "inspector2:ListFindings"],
            Resource: "*",
          }),
        ]
      : []),
    allow({ Sid: "RegistryToken", Action: "ecr:GetAuthorizationToken", Resource: "*" }),
    writeOwnLogs(around, "cicd"),
  ],
};
