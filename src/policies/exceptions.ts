import type { PolicyException } from "../../programs/policies/evaluate.ts";
import { AppError, type FieldError } from "../errors.ts";
import type { StoredException } from "./store.ts";

const dayMs = 86_400_000;
// A leap year; what lasts longer is a decision about the policy, not an exception from it.
const longestMs = 366 * dayMs;

export interface ExceptionRequest {
  readonly approvedBy: string;
  readonly expiresAt: Date;
}

/** Throws `invalid_request` with everything that is wrong with an exception that somebody asks for. */
export function checkException(
  { approvedBy, expiresAt }: ExceptionRequest,
  { owner, now }: { readonly owner: string; readonly now: Date },
): void {
  const errors: FieldError[] = [];
  if (approvedBy.trim().toLowerCase() === owner.toLowerCase()) {
    errors.push({
      path: "/approvedBy",
      message: `is the pipeline's owner ${owner}, who can't approve exceptions for themselves`,
    });
  }
  if (expiresAt <= now) errors.push({ path: "/expiresAt", message: "is not in the future" });
  if (expiresAt.getTime() - now.getTime() > longestMs)
    errors.push({ path: "/expiresAt", message: "is more than a year ahead" });
  const [first] = errors;
  if (first === undefined) return;
  const message = errors.map(({ path, message: what }) => `${path.slice(1)} ${what}`).join("; ");
  throw new AppError("invalid_request", `The exception can't be granted: ${message}`, {
    details: { errors },
  });
}

/** An exception as the policies take it. */
export function toPolicyException({
  policy,
  resource,
  reason,
  approvedBy,
  expiresAt,
}: StoredException): PolicyException {
  return {
    policy,
    ...(resource === null ? {} : { resource }),
    reason,
    approvedBy,
    expiresAt: expiresAt.toISOString(),
  };
}
