import * as pulumi from "@pulumi/pulumi";
import { fromKinds } from "../from-kinds.ts";
import { pipelineImages } from "../images.ts";
import { PIPELINE_ROLES, type PipelineRole } from "../names.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { ROLE_GRANTS, roleTrust } from "../role-policies.ts";
import type { Tags } from "../tags.ts";
import type { PipelineKeys } from "./pipeline-keys.ts";
import { ServiceRole } from "./service-role.ts";

export interface JobNetwork {
  readonly subnetIds: pulumi.Input<readonly pulumi.Input<string>[]>;
  readonly securityGroupId: pulumi.Input<string>;
}

const DESCRIPTIONS: Readonly<Record<PipelineRole, string>> = {
  validation: "Reads raw data; writes validated and quarantined data",
  processing: "Reads validated data and models; writes features and evaluation reports",
  training: "Reads validated data and features; writes models",
  orchestration: "Runs the jobs of the pipeline and registers models that pass the quality gate",
  inference: "Reads models; writes predictions",
  monitoring: "Reads metrics; publishes alerts",
  cicd: "Pushes images and starts this pipeline",
  alerts: "Publishes events to the alert topics",
  schedule: "Starts this pipeline on schedule",
};

export type PipelineRoles = Readonly<Record<Exclude<PipelineRole, "schedule">, ServiceRole>> & {
  readonly schedule: ServiceRole | undefined;
};

/** A role per component; the schedule's exists only with a schedule. */
export function pipelineRoles(
  setting: PipelineSetting,
  { keys, network }: { keys: PipelineKeys; network: JobNetwork },
  tags: Tags,
  parent: pulumi.Resource,
): PipelineRoles {
  const images = pipelineImages(setting);
  const surroundings = pulumi
    .all([keys.data.arn, keys.models.arn, keys.logs.arn, network.subnetIds, network.securityGroupId])
    .apply(([data, models, logs, subnetIds, securityGroupId]) => ({
      setting,
      images,
      keys: { data, models, logs },
      network: { subnetIds, securityGroupId },
    }));
  const role = (kind: PipelineRole) =>
    new ServiceRole(
      `${kind}-role`,
      {
        name: setting.names.named(kind),
        description: `AIDLC ${setting.team}/${setting.pipeline}: ${DESCRIPTIONS[kind]}`,
        trust: roleTrust(kind, setting),
        grants: surroundings.apply((around) => ROLE_GRANTS[kind](around)),
        permissionsBoundary: setting.foundation.permissionsBoundaryArn,
        tags,
      },
      { parent },
    );
  const always = PIPELINE_ROLES.filter((kind) => kind !== "schedule");
  return {
    ...fromKinds(always, role),
    schedule: setting.spec.training.schedule === undefined ? undefined : role("schedule"),
  };
}
