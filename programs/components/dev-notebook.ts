import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import type { PipelineSpec } from "../spec.ts";
import type { Tags } from "../tags.ts";
import { EXPERIMENTS_ARN } from "./experiment-tracking.ts";
import type { PipelineKeys } from "./pipeline-keys.ts";
import type { JobNetwork, PipelineRoles } from "./pipeline-roles.ts";

export interface DevNotebookArgs {
  readonly setting: PipelineSetting;
  readonly notebook: NonNullable<PipelineSpec["notebook"]>;
  readonly keys: PipelineKeys;
  readonly roles: PipelineRoles;
  readonly network: JobNetwork;
  readonly tags: Tags;
}

/**
 * Lifecycle scripts run as root even where users may not. The ARN of the experiments is looked up at every login, not written
 * here: the app takes minutes to create, and the notebook would have to wait for it.
 */
const startScript = ({ account, names }: PipelineSetting) => `#!/bin/bash
set -euo pipefail
cat > /etc/profile.d/aidlc.sh <<'END'
export AIDLC_PARAMETER_PREFIX='${names.parameter("").slice(0, -1)}'
MLFLOW_TRACKING_URI=$(aws ssm get-parameter --region ${account.region} --name '${names.parameter(EXPERIMENTS_ARN)}' --query Parameter.Value --output text) \\
  && export MLFLOW_TRACKING_URI
END
`;

/**
 * A notebook for development. Its users are not root, its volume is encrypted with the data key, and in the profile
 * `production` it has no way to the internet.
 */
export class DevNotebook extends pulumi.ComponentResource {
  readonly instance: aws.sagemaker.NotebookInstance;

  constructor(name: string, args: DevNotebookArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:DevNotebook", name, {}, opts);
    const { setting, notebook, keys, roles, network, tags } = args;
    const { names, spec } = setting;
    const lifecycle = new aws.sagemaker.NotebookInstanceLifecycleConfiguration(
      `${name}-start`,
      {
        name: names.named("notebook"),
        onStart: Buffer.from(startScript(setting)).toString("base64"),
        tags,
      },
      { parent: this },
    );
    this.instance = new aws.sagemaker.NotebookInstance(
      name,
      {
        name: names.named("notebook"),
        instanceType: notebook.instanceType,
        volumeSize: notebook.volumeGb,
        platformIdentifier: "notebook-al2023-v1",
        kmsKeyId: keys.data.arn,
        roleArn: roles.of("notebook").readyArn,
        rootAccess: "Disabled",
        instanceMetadataServiceConfiguration: { minimumInstanceMetadataServiceVersion: "2" },
        lifecycleConfigName: lifecycle.name,
        ...(spec.profile === "production"
          ? {
              directInternetAccess: "Disabled",
              subnetId: pulumi.output(network.subnetIds).apply(([first = ""]) => first),
              securityGroups: [network.securityGroupId],
            }
          : { directInternetAccess: "Enabled" }),
        tags,
      },
      { parent: this },
    );
    this.registerOutputs({ name: this.instance.name });
  }
}
