import { describeModel, readModelDocuments, writeModelDocuments } from "../delivery/grants.ts";
import { allow, publishAlerts, useKeys } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

/** May turn a version down, never approve one: that is for somebody who did not make it. */
export const evaluateGate: FunctionDefinition = {
  description: "Cross-checks a registered model before anybody approves it; may reject it",
  memoryMb: 256,
  // It waits for the lineage and the signature, which are made at the same event.
  timeoutSeconds: 900,
  environment: ({ names }) => ({
    AIDLC_MODELS_BUCKET: names.bucket("models"),
    AIDLC_VALIDATED_BUCKET: names.bucket("validated"),
    AIDLC_MODEL_GROUP: names.named("models"),
  }),
  keyUses: ["models", "alerts"],
  grants: (around) => {
    const { arns, names } = around.setting;
    return [
      describeModel(around),
      allow({
        Sid: "RejectModels",
        Action: "sagemaker:UpdateModelPackage",
        Resource: arns.sagemaker("model-package", `${names.named("models")}/*`),
        Condition: { StringEquals: { "sagemaker:ModelApprovalStatus": "Rejected" } },
      }),
      ...readModelDocuments(around, [PREFIX.lineage, PREFIX.signatures, PREFIX.gates, PREFIX.releases]),
      writeModelDocuments(around, PREFIX.gates),
      useKeys(around, ["models"]),
      ...publishAlerts(around),
    ];
  },
};
