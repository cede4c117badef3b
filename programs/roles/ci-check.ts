import { readArtifacts } from "../delivery/grants.ts";
import { allow, writeOwnLogs } from "../grants.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedForBuilds } from "./trust.ts";

/** Runs code that nobody has reviewed: it reaches the source, its own logs and its test report, and nothing else. */
export const ciCheck: RoleDefinition = {
  description: "Scans and tests source bundles",
  trust: trustedForBuilds,
  keyUses: [],
  grants: (around) => [
    ...readArtifacts(around),
    writeOwnLogs(around, "cicd"),
    allow({
      Sid: "ReportTests",
      Action: [
        "codebuild:BatchPutCodeCoverages",
        "codebuild:BatchPutTestCases",
        "codebuild:CreateReport",
        "codebuild:UpdateReport",
      ],
      Resource: around.setting.arns.regional(
        "codebuild",
        `report-group/${around.setting.names.named("tests")}`,
      ),
    }),
  ],
};
