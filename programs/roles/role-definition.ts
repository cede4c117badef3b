import type { RoleSurroundings } from "../grants.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import type { Statement } from "../policy-document.ts";

/**
 * What a role does with the pipeline's keys; the keys' own policies are derived from it. `data` and `models`: reads or
 * writes objects through S3. `volumes`: starts jobs with encrypted volumes. `alerts`: publishes to the alert topics.
 * `bookmarks`: keeps Glue's job bookmarks. `secret`: opens the secret.
 * `sign` and `verify`: makes or checks signatures of models.
 */
export type KeyUse = "bookmarks" | "secret" | "data" | "models" | "volumes" | "alerts" | "sign" | "verify";

/** One component's identity: who assumes it and exactly what its code and its services call. */
export interface RoleDefinition {
  /** Completes "This role …". */
  readonly description: string;
  readonly trust: (setting: PipelineSetting) => Statement;
  readonly keyUses: readonly KeyUse[];
  readonly grants: (around: RoleSurroundings) => Statement[];
}
