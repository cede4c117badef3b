import type { DataOnDestroy, FoundationInput, PipelineInput } from "../../programs/inputs.ts";
import type { PolicyException, PolicyFinding } from "../../programs/policies/evaluate.ts";
import type { BegunChanges, PendingOperation } from "./pending.ts";
import type { Phase } from "./phase.ts";

/** What the engine can do with a stack. `drift` and `preview` take no lock and change nothing. */
export const actions = ["preview", "update", "destroy", "refresh", "drift", "reconcile", "repair"] as const;
export type Action = (typeof actions)[number];

export type ProgramRequest =
  | { readonly name: "foundation"; readonly input: FoundationInput }
  | { readonly name: "pipeline"; readonly input: PipelineInput };

export interface StackRef {
  readonly project: string;
  readonly name: string;
  /** Whether the state backend has it already. */
  readonly exists: boolean;
}

/** Actions for which the engine runs the program in the runner's process. The others only compare the state with AWS. */
export function runsProgram(action: Action): boolean {
  return action !== "drift" && action !== "repair";
}

/** Actions that take the stack's lock; the others only read. */
export function changesState(action: Action): boolean {
  return action !== "preview" && action !== "drift";
}

/** How the policies are applied to one operation. */
export interface PolicyRules {
  readonly exceptions: readonly PolicyException[];
  /** Ids of policies that are mandatory although the profile only advises them. */
  readonly enforced: readonly string[];
}

/** Where a run asks for a session of AWS, and what proves that it is that run. Both end with it. */
export interface CredentialsSource {
  readonly url: string;
  readonly token: string;
}

/** A run's sessions: the provider's in the account, where it works on AWS, and the state backend's, where that is on AWS. */
export interface RunCredentials {
  readonly provider?: CredentialsSource;
  readonly state?: CredentialsSource;
}

export const approvalReasonCodes = ["spec", "production", "budget", "data_loss", "iam_widening"] as const;

/** Why an operation may not be applied before somebody has approved of its plan. */
export interface ApprovalReason {
  readonly code: (typeof approvalReasonCodes)[number];
  readonly message: string;
  /** The resources that it is about; none where it is about the operation as a whole. */
  readonly resources: readonly { readonly urn: string; readonly type: string; readonly name: string }[];
}

/** What decides whether a plan is applied in the run that made it. */
export interface ApprovalGate {
  /** Reasons that hold whatever the plan is. */
  readonly reasons: readonly ApprovalReason[];
  /** Nothing was ever applied completely: no role of the plan is more than what was asked for. */
  readonly firstCreation: boolean;
  /** Digest of the only plan that may be applied. */
  readonly approved?: string;
}

/** What a reconciliation leaves as it is, besides what releases have promoted. */
export interface SpareRequest {
  /** Rules that are in force: patterns of resources and of properties' paths. */
  readonly rules: readonly { readonly resource: string; readonly path: string }[];
  /** Drifts that somebody accepted for now. */
  readonly accepted: readonly { readonly urn: string; readonly path: string }[];
  /** Set: of what drifted only these resources are brought back. */
  readonly only?: readonly string[];
}

/** What a reconciliation found before it changed anything, and what of it it left. */
export interface SparedDrift {
  readonly steps: readonly Step[];
  readonly kept: readonly { readonly urn: string; readonly path: string }[];
  /** Of the resources whose drifts were left, those that it did not touch at all. */
  readonly excluded: readonly string[];
}

/** One operation for a runner; travels over the channel between processes, never over a command line. */
export interface RunRequest {
  readonly operationId: string;
  readonly action: Action;
  readonly stack: StackRef;
  readonly program: ProgramRequest;
  /** For `destroy`: what becomes of resources that hold data. */
  readonly data: DataOnDestroy;
  readonly policies: PolicyRules;
  readonly passphrase: string;
  readonly backendUrl: string;
  readonly credentials: RunCredentials;
  /** For what changes something: set, its plan is made and judged first. */
  readonly gate?: ApprovalGate;
  /** For `reconcile`: what it leaves as it is. Unless given it brings back whatever drifted. */
  readonly spare?: SpareRequest;
  /** For a repair: what engines had begun on the stack, besides what its state says. */
  readonly pending?: readonly PendingOperation[];
  /** For a repair: what engines may have begun to change or to delete since the stack was settled. */
  readonly begun?: BegunChanges;
  /** Set: engines attach to the provider that serves on this port. Undefined: they start the official plugin. */
  readonly attachedProviderPort: number | undefined;
}

export const changeKinds = [
  "add",
  "delete",
  "update",
  "add-replace",
  "delete-replace",
  "update-replace",
] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** One property that differs: `before` is what the state says, `after` what was planned or, for drift, found. */
export interface PropertyChange {
  readonly path: string;
  readonly kind: ChangeKind;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** One resource that a preview would change, or that drifted. */
export interface Step {
  readonly action: string;
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly phase?: Phase;
  readonly awsId?: string;
  readonly changes: readonly PropertyChange[];
  /** For previews: SHA-256 of all that the resource would be given, of which `changes` tells only what differs. */
  readonly inputsDigest?: string;
}

export type EngineEvent =
  | {
      readonly type: "resource";
      readonly status: "started" | "done" | "failed";
      readonly action: string;
      readonly urn: string;
      readonly resourceType: string;
      readonly name: string;
      readonly durationMs?: number;
      readonly changes?: readonly PropertyChange[];
    }
  | {
      readonly type: "diagnostic";
      readonly severity: "warning" | "error";
      readonly message: string;
      readonly urn?: string;
    }
  | { readonly type: "policy"; readonly finding: PolicyFinding }
  | {
      /** The end of something that the stack doesn't know. */
      readonly type: "quiesce";
      readonly status: "started" | "done";
      readonly what:
        | "execution"
        | "processing job"
        | "endpoint"
        | "endpoint configuration"
        | "model"
        | "model version";
      readonly name: string;
    }
  | {
      readonly type: "summary";
      readonly changes: Readonly<Record<string, number>>;
      readonly durationMs: number;
    };

/** An engine event with its moment and, where it concerns a resource, that resource's phase. */
export interface TimedEvent {
  readonly at: Date;
  readonly phase?: Phase;
  readonly event: EngineEvent;
}

/**
 * Keeps what engines had begun on a stack until a repair has settled it, in place of what was kept before. A state can't:
 * `pulumi stack import` drops it. Throws when it can't be kept: a `SupervisorGone` when nobody is there to do it.
 */
export type KeepPending = (entries: readonly PendingOperation[]) => Promise<void>;

/** The process that supervised a run has ended, or hasn't confirmed its lease for long. */
export class SupervisorGone extends Error {
  override readonly name = "SupervisorGone";
}

export const operationErrorCodes = [
  "already_exists",
  "access_denied",
  "invalid_input",
  "missing_reference",
  "in_use",
  "throttled",
  "quota_exceeded",
  "stack_locked",
  "backend_unavailable",
  "policy_refused",
  "program_failed",
  "engine_failed",
  "plan_changed",
  "approval_rejected",
  "approval_expired",
  "timed_out",
  "runner_lost",
  "provider_lost",
  "unclear_resource",
  "cancelled",
] as const;
export type OperationErrorCode = (typeof operationErrorCodes)[number];

/** Why an operation failed, fit to be shown: secrets are masked, the resource and the remedy are named. */
export interface OperationError {
  readonly code: OperationErrorCode;
  readonly message: string;
  readonly remedy: string;
  readonly resource?: { readonly urn: string; readonly type: string; readonly name: string };
  /** Further failures of the same run. */
  readonly others?: readonly string[];
}

/** The end of a run whose process disappeared. What it changed, and whether it left the stack's lock, is for a repair to find out. */
export function lostEnd(message: string): Pick<RunOutcome, "state" | "error"> {
  const remedy =
    "Look at the service's logs for what ends its processes, then repeat it: what was done stays done";
  return { state: "failed", error: { code: "runner_lost", message, remedy } };
}

/** A creation that an engine had asked for when it disappeared: the resource may exist, unknown to the state. */
export interface PendingCreate {
  readonly urn: string;
  readonly type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** What became of it. A candidate's id, in the provider's form or that of its imports, is still to be proved by reading it. */
export type Whereabouts =
  | {
      readonly state: "candidate";
      readonly id: string;
      /** Given where the provider finds it by these and not by its id. */
      readonly outputs?: Readonly<Record<string, unknown>>;
    }
  | { readonly state: "absent" }
  | { readonly state: "unclear"; readonly message: string; readonly remedy: string };

/** Finds the whereabouts of each, in order; `known` are ids and ARNs of resources that the state has already. */
export type LookUp = (
  creates: readonly PendingCreate[],
  known: readonly string[],
) => Promise<readonly Whereabouts[]>;

/** One resource in a stack's state, secrets masked. */
export interface ResourceRecord {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly awsId: string | null;
  readonly phase: Phase | null;
  readonly parent: string | null;
  readonly dependencies: readonly string[];
  readonly inputs: unknown;
  readonly outputs: unknown;
}

/** What a stack's state holds after an operation. */
export interface Snapshot {
  readonly resources: readonly ResourceRecord[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

export interface RunOutcome {
  /** `awaiting_approval`: nothing was applied, and `reasons` tell why. */
  readonly state: "succeeded" | "failed" | "cancelled" | "needs_repair" | "awaiting_approval";
  readonly reasons?: readonly ApprovalReason[];
  readonly changes: Readonly<Record<string, number>>;
  /** For `preview`, `drift` and a plan that isn't applied: every resource that would change or has drifted. */
  readonly steps: readonly Step[];
  /** Breaches of policies, for the actions that they govern. */
  readonly findings?: readonly PolicyFinding[];
  /** For `reconcile` of what has something to spare. */
  readonly drift?: SparedDrift;
  readonly error?: OperationError;
  /** Absent where the action changes no state, or where the state could not be read. */
  readonly snapshot?: Snapshot;
  readonly stackExists: boolean;
  /** The stack may be locked, or AWS have what its state doesn't know: it must be repaired before anything else. */
  readonly unsettled?: true;
}

/** Until when a run may believe that its operation is its own: as two clocks tell it, of which one stands still while the machine does. */
export interface Deadline {
  /** `monotonicMs()`, the same for all processes of a machine. */
  readonly monotonicMs: number;
  /** Milliseconds since 1970. */
  readonly wallMs: number;
}

export type ToRunner =
  | { readonly type: "run"; readonly request: RunRequest; readonly folder: string }
  | { readonly type: "lease"; readonly until: Deadline }
  | { readonly type: "found"; readonly whereabouts: readonly Whereabouts[] }
  | { readonly type: "notFound"; readonly message: string }
  | { readonly type: "kept" }
  | { readonly type: "notKept"; readonly message: string }
  | { readonly type: "quiet" }
  | { readonly type: "notQuiet"; readonly message: string }
  | { readonly type: "cancel" };
export type FromRunner =
  | { readonly type: "ready" }
  | { readonly type: "event"; readonly timed: TimedEvent }
  | { readonly type: "lookUp"; readonly creates: readonly PendingCreate[]; readonly known: readonly string[] }
  | { readonly type: "keep"; readonly entries: readonly PendingOperation[] }
  | { readonly type: "quiesce" }
  | { readonly type: "outcome"; readonly outcome: RunOutcome };
