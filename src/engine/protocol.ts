import type { DataOnDestroy, FoundationInput, PipelineInput } from "../../programs/inputs.ts";
import type { PolicyException, PolicyFinding } from "../../programs/policies/evaluate.ts";
import type { Phase } from "./phase.ts";

/** What the engine can do with a stack. `drift` and `preview` take no lock and change nothing. */
export const actions = ["preview", "update", "destroy", "refresh", "drift", "reconcile"] as const;
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

/** Actions for which the engine runs the program in the runner's process. A drift check only compares the state with AWS. */
export function runsProgram(action: Action): boolean {
  return action !== "drift";
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
  "timed_out",
  "runner_lost",
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

/** The end of an action whose process disappeared: what it changed, and whether it left the stack's lock, isn't known. */
export function lostEnd(
  action: Action,
  message: string,
): { state: RunOutcome["state"]; error: OperationError } {
  return changesState(action)
    ? {
        state: "needs_repair",
        error: {
          code: "runner_lost",
          message,
          remedy: "Apply again, or delete; if that says stack_locked, follow docs/runbook.md first",
        },
      }
    : { state: "failed", error: { code: "runner_lost", message, remedy: "Nothing was changed: repeat it" } };
}

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
  readonly state: "succeeded" | "failed" | "cancelled" | "needs_repair";
  readonly changes: Readonly<Record<string, number>>;
  /** For `preview` and `drift`: every resource that would change or has drifted. */
  readonly steps: readonly Step[];
  /** Breaches of policies, for the actions that they govern. */
  readonly findings?: readonly PolicyFinding[];
  readonly error?: OperationError;
  /** Absent where the action changes no state, or where the state could not be read. */
  readonly snapshot?: Snapshot;
  readonly stackExists: boolean;
}

export type ToRunner =
  | { readonly type: "run"; readonly request: RunRequest; readonly folder: string }
  | { readonly type: "cancel" };
export type FromRunner =
  | { readonly type: "ready" }
  | { readonly type: "event"; readonly timed: TimedEvent }
  | { readonly type: "outcome"; readonly outcome: RunOutcome };
