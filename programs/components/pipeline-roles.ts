import * as pulumi from "@pulumi/pulumi";
import type { RoleSurroundings } from "../grants.ts";
import { pipelineImages } from "../images.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import { type PipelineRole, ROLES } from "../roles/index.ts";
import type { Tags } from "../tags.ts";
import type { PipelineKeys } from "./pipeline-keys.ts";
import { ServiceRole } from "./service-role.ts";

/** Where a pipeline computes. */
export interface JobNetwork {
  /** Private ones in the profile `production`. */
  readonly subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Of the jobs. */
  readonly securityGroupId: pulumi.Input<string>;
  /** Only in the profile `production`: in `learning`, functions run outside of any network. */
  readonly functionSecurityGroupId?: pulumi.Input<string>;
}

/** The roles of a pipeline. A role exists when a component asks for it, so none is left without a user. */
export class PipelineRoles {
  /** What identifiers AWS chose for what the roles and the functions work with. */
  readonly surroundings: pulumi.Output<RoleSurroundings>;
  readonly #made = new Map<PipelineRole, ServiceRole>();
  readonly #make: (kind: PipelineRole) => ServiceRole;

  constructor(
    setting: PipelineSetting,
    { keys, network }: { keys: PipelineKeys; network: JobNetwork },
    tags: Tags,
    parent: pulumi.Resource,
  ) {
    const images = pipelineImages(setting);
    this.surroundings = pulumi
      .all([keys.data.arn, keys.models.arn, keys.logs.arn, keys.signing.arn, pulumi.output(network)])
      .apply(([data, models, logs, signing, network]) => ({
        setting,
        images,
        keys: { data, models, logs, signing },
        network,
      }));
    this.#make = (kind) =>
      new ServiceRole(
        `${kind}-role`,
        {
          name: setting.names.named(kind),
          description: `AIDLC ${setting.team}/${setting.pipeline}: ${ROLES[kind].description}`,
          trust: ROLES[kind].trust(setting),
          grants: this.surroundings.apply((around) => ROLES[kind].grants(around)),
          permissionsBoundary: setting.foundation.permissionsBoundaryArn,
          tags,
        },
        { parent },
      );
  }

  of(kind: PipelineRole): ServiceRole {
    const role = this.#made.get(kind) ?? this.#make(kind);
    this.#made.set(kind, role);
    return role;
  }

  /** Whether a component has asked for the role. */
  has(kind: PipelineRole): boolean {
    return this.#made.has(kind);
  }

  /** ARNs of the roles that exist; complete only when every component was made. */
  arns(): pulumi.Output<Record<string, string>> {
    return pulumi.output(Object.fromEntries([...this.#made].map(([kind, role]) => [kind, role.arn])));
  }
}
