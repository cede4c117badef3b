import type pg from "pg";
import type { PolicyException } from "../../programs/policies/evaluate.ts";
import type { ApprovalTerms } from "../approvals/terms.ts";
import type { TeamAccount } from "../aws/team-account.ts";
import type { ProgramRequest, RunOutcome, SpareRequest, TimedEvent } from "../engine/protocol.ts";
import type { Queryable } from "../postgres/pool.ts";
import type { Operation } from "./store.ts";

/** What a feature does for the operations on its own stacks. */
export interface StackOwner {
  /** The account that the operation works in, as it is registered now; throws `AppError` when there is none. */
  accountOf(operation: Operation): Promise<TeamAccount>;
  /** The program and its input as they are now; throws `AppError` when it can't be built. */
  programFor(operation: Operation): Promise<ProgramRequest>;
  /** Exceptions from policies that its operations may use; none unless given. */
  exceptionsFor?(operation: Operation): Promise<readonly PolicyException[]>;
  /** What a reconciliation leaves as it is; nothing unless given. */
  spareFor?(operation: Operation): Promise<SpareRequest | undefined>;
  /** Under which terms its plan is approved before it is applied; undefined: it is applied as it is, as all are unless given. */
  approvalTerms?(db: Queryable, operation: Operation): Promise<ApprovalTerms | undefined>;
  /** For a destroy: ends what uses the stack's resources without being one of them, and tells of it; nothing unless given. */
  quiesce?(operation: Operation, account: TeamAccount, run: QuiesceRun): Promise<void>;
  /** Takes the locks that `onEnded` needs, before any other: those of requests come in the same order. */
  beforeEnded?(client: pg.PoolClient, operation: Operation, outcome: RunOutcome): Promise<void>;
  /** Takes over what an operation found whose plan waits for approval, in the transaction that has it wait. */
  onHeldBack?(client: pg.PoolClient, operation: Operation, outcome: RunOutcome): Promise<void>;
  /** Takes the end of an operation over into the feature's own rows, in the transaction that ends it. */
  onEnded(client: pg.PoolClient, operation: Operation, outcome: RunOutcome): Promise<void>;
}

export interface QuiesceRun {
  readonly onEvent: (event: TimedEvent) => void;
  readonly signal: AbortSignal;
}
