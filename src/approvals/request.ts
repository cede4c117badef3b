import type { ApprovalReason } from "../engine/protocol.ts";
import type { ApproverRole } from "./terms.ts";

/** What an operation waits for; part of its row, so dates are texts. */
export interface ApprovalRequest {
  /** SHA-256 of the plan: approvals of another one don't count. */
  readonly digest: string;
  readonly reasons: readonly ApprovalReason[];
  /** How many people have to approve. */
  readonly needed: number;
  /** How many had when it was last counted. */
  readonly given: number;
  readonly from: readonly ApproverRole[];
  readonly requestedAt: string;
  readonly expiresAt: string;
}
