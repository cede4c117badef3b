import { readModelDocuments } from "../delivery/grants.ts";
import { allow, publishAlerts, type RoleSurroundings, useKeys } from "../grants.ts";
import { STAGES } from "../serving/endpoints.ts";
import { UNDER_WAY } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

const endpoints = ({ setting: { arns, names } }: RoleSurroundings) =>
  STAGES.map((stage) => arns.sagemaker("endpoint", names.named(stage)));

/**
 * Stops what costs while nobody uses it. EventBridge Scheduler could call `StopNotebookInstance` itself, but the call
 * fails for a notebook that is stopped already, and every quiet night would end in the dead-letter queue.
 */
export const stopIdle: FunctionDefinition = {
  description: "Stops the notebook and removes idle endpoints of development and staging",
  memoryMb: 256,
  timeoutSeconds: 300,
  environment: ({ names }) => ({
    AIDLC_MODELS_BUCKET: names.bucket("models"),
    // As often as it looks.
    AIDLC_IDLE_MINUTES: "60",
  }),
  keyUses: ["models", "alerts"],
  grants: (around) => {
    const { arns, names, spec } = around.setting;
    const notebook = arns.sagemaker("notebook-instance", names.named("notebook"));
    return [
      allow({
        Sid: "RemoveIdleEndpoints",
        Action: ["sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint", "sagemaker:ListTags"],
        Resource: endpoints(around),
      }),
      // Whether a release is under way, whose trials they may be.
      ...readModelDocuments(around, [UNDER_WAY]),
      useKeys(around, ["models"], ["kms:Decrypt"]),
      // CloudWatch has no resource to grant reads of metrics on.
      allow({ Sid: "ReadUse", Action: "cloudwatch:GetMetricData", Resource: "*" }),
      ...(spec.notebook === undefined
        ? []
        : [
            allow({
              Sid: "StopNotebook",
              Action: [
                "sagemaker:DescribeNotebookInstance",
                "sagemaker:ListTags",
                "sagemaker:StopNotebookInstance",
              ],
              Resource: notebook,
            }),
          ]),
      ...publishAlerts(around),
    ];
  },
};
