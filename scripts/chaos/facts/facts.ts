/** A resource of the sandbox, the stand-in for AWS. */
export interface InventoryItem {
  readonly type: string;
  readonly account: string;
  readonly awsId: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** `team/pipeline` by its owner tags; undefined for what bears none. */
  readonly owner: string | undefined;
}

/** A resource of AWS in a stack's state. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly awsId: string;
  /** A replaced one that is still to be deleted. */
  readonly isLeaving: boolean;
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** A stack as the backend has it. */
export interface StackState {
  /** `project/stack`. */
  readonly stack: string;
  readonly resources: readonly StateResource[];
  /** `creating URN`, left behind by an engine that was killed. */
  readonly pending: readonly string[];
}

/** A stack as the service's tables have it. */
export interface StackRow {
  readonly stack: string;
  readonly initialized: boolean;
  readonly resources: readonly { readonly urn: string; readonly awsId: string | null }[];
}

export interface OperationFact {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly stack: string;
  readonly wasStarted: boolean;
  readonly changesStack: boolean;
  readonly attempt: number;
  readonly revision: number | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  /** For drift checks: the names of what has drifted. */
  readonly drifted: readonly string[];
  readonly events: { readonly count: number; readonly lowest: number; readonly highest: number };
}

export interface PipelineFact {
  readonly pipeline: string;
  readonly stack: string;
  readonly isDeleted: boolean;
  readonly appliedRevision: number | null;
}

export interface AuditFact {
  readonly brokenAt: string | undefined;
  readonly entries: readonly {
    readonly action: string;
    readonly target: string;
    readonly operation: string | null;
  }[];
}

export interface ProcessFact {
  readonly pid: number;
  readonly what: string;
}

/** Everything that the invariants are judged by, read when nothing runs. */
export interface Facts {
  readonly inventory: readonly InventoryItem[];
  readonly states: readonly StackState[];
  readonly stackRows: readonly StackRow[];
  readonly operations: readonly OperationFact[];
  readonly pipelines: readonly PipelineFact[];
  /** Ids of operations that were answered with 202. */
  readonly acknowledged: readonly string[];
  readonly audit: AuditFact;
  /** Files of the backend that are neither a state nor its history. */
  readonly strayStateFiles: readonly string[];
  readonly locks: readonly string[];
  readonly temporaryFiles: readonly string[];
  /** Processes that nothing needs while nothing runs. */
  readonly strayProcesses: readonly ProcessFact[];
  /** What nodes died of that nobody killed. */
  readonly ownDeaths: readonly string[];
}
