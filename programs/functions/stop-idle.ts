import { allow, publishAlerts, type RoleSurroundings } from "../grants.ts";
import type { FunctionDefinition } from "./function-definition.ts";
import { STAGES } from "./release.ts";

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
  keyUses: ["alerts"],
  grants: (around) => {
    const { arns, names, spec } = around.setting;
    return [
      allow({
        Sid: "RemoveIdleEndpoints",
        Action: ["sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint", "sagemaker:ListTags"],
        Resource: endpoints(around),
      }),
      // CloudWatch has no resource to grant reads of metrics on.
      allow({ Sid: "ReadUse", Action: "cloudwatch:GetMetricData", Resource: "*" }),
      ...(spec.notebook === undefined
        ? []
        : [
            allow({
              Sid: "StopNotebook",
              Action: ["sagemaker:DescribeNotebookInstance", "sagemaker:StopNotebookInstance"],
              Resource: arns.sagemaker("notebook-instance", names.named("notebook")),
            }),
          ]),
      ...publishAlerts(around),
    ];
  },
};
