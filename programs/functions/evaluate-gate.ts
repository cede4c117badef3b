import { readRegistry } from "../delivery/grants.ts";
import { allow, bucketArn, publishAlerts, useKeys, write } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** May turn a version down, never approve one: that is for somebody who did not make it. */
export const evaluateGate: FunctionDefinition = {
  description: "Cross-checks a registered model before anybody approves it; may reject it",
  memoryMb: 512,
  timeoutSeconds: 300,
  keyUses: ["models", "alerts"],
  grants: (around) => {
    const { arns, names } = around.setting;
    return [
      readRegistry(around),
      allow({
        Sid: "RejectModels",
        Action: "sagemaker:UpdateModelPackage",
        Resource: arns.sagemaker("model-package", `${names.named("models")}/*`),
        Condition: { StringEquals: { "sagemaker:ModelApprovalStatus": "Rejected" } },
      }),
      allow({
        Sid: "ReadEvaluations",
        Action: ["s3:GetObject", "s3:GetObjectVersion"],
        Resource: [PREFIX.evaluations, PREFIX.lineage, PREFIX.releases].map(
          (prefix) => `${bucketArn(around, "models")}/${prefix}*`,
        ),
      }),
      write(around, "models", [PREFIX.gates]),
      useKeys(around, ["models"]),
      ...publishAlerts(around),
    ];
  },
};
