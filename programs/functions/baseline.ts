import { consume } from "../data-grants.ts";
import { allow, bucketArn, useKeys } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

export const baseline: FunctionDefinition = {
  description: "Merges the profiles of accepted data into the drift baseline and keeps its versions",
  memoryMb: 2048,
  timeoutSeconds: 300,
  environment: ({ names }) => ({ AIDLC_VALIDATED_BUCKET: names.bucket("validated") }),
  keyUses: ["data"],
  grants: (around) => {
    const validated = bucketArn(around, "validated");
    const artifacts = around.setting.arns.sagemaker("artifact", "*");
    return [
      consume(around, "baseline"),
      allow({
        Sid: "ReadProfiles",
        Action: "s3:GetObject",
        Resource: [PREFIX.profiles, PREFIX.baselines].map((prefix) => `${validated}/${prefix}*`),
      }),
      // Without it S3 answers 403 for a document that is not there; a condition on the prefix would be met by lists only.
      allow({ Sid: "FindProfiles", Action: "s3:ListBucket", Resource: validated }),
      allow({ Sid: "WriteBaselines", Action: "s3:PutObject", Resource: `${validated}/${PREFIX.baselines}*` }),
      useKeys(around, ["data"]),
      // AWS names artifacts by a hash of their source.
      allow({
        Sid: "RecordArtifacts",
        Action: ["sagemaker:AddAssociation", "sagemaker:CreateArtifact"],
        Resource: artifacts,
      }),
    ];
  },
};
