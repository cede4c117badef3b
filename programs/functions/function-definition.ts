import type { RoleSurroundings } from "../grants.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import type { Statement } from "../policy-document.ts";
import type { KeyUse } from "../roles/role-definition.ts";

/** A function of the pipeline: its size, its settings, and what it may do beyond writing its logs, metrics and traces. */
export interface FunctionDefinition {
  /** Completes "This function …". */
  readonly description: string;
  readonly memoryMb: number;
  /** At most 900. A queue that feeds the function hides messages for six times as long. */
  readonly timeoutSeconds: number;
  /** Reads data: gets the layer with DuckDB's native library, which its bundle leaves out. */
  readonly readsData?: boolean;
  /** Of /tmp; 512 unless given. */
  readonly storageMb?: number;
  /** Besides what every function gets (function-environment.ts). Never a secret. */
  readonly environment?: (setting: PipelineSetting) => Readonly<Record<string, string>>;
  /** The same for what AWS chooses the identifiers of. */
  readonly environmentAround?: (around: RoleSurroundings) => Readonly<Record<string, string>>;
  /**
   * Calls what has no endpoint in the network, so it runs outside of it even where functions have one: private subnets have no
   * way out. Such a function touches no data.
   */
  readonly reachesInternet?: boolean;
  readonly keyUses: readonly KeyUse[];
  readonly grants: (around: RoleSurroundings) => Statement[];
}
