import type { PolicyException } from "../../programs/policies/evaluate.ts";
import type { Principal } from "../access/principal.ts";
import { AppError } from "../errors.ts";
import { invalid } from "../http/validation.ts";
import type { StoredException } from "./store.ts";

const dayMs = 86_400_000;
// A leap year; what lasts longer is a decision about the policy, not an exception from it.
const longestMs = 366 * dayMs;

/** Throws `invalid_request`, for the field at `path`, unless an exception until then would end, within a year. */
export function checkExpiry(expiresAt: Date, now: Date, path = "/expiresAt"): void {
  const problem =
    expiresAt <= now
      ? "is not in the future"
      : expiresAt.getTime() - now.getTime() > longestMs
        ? "is more than a year ahead"
        : undefined;
  if (problem === undefined) return;
  throw invalid("invalid_request", [{ path, message: problem }]);
}

/**
 * Throws `forbidden` for whoever would approve of their own: a pipeline's owner, and who asked for its spec as it is. Admins are
 * held by the first alone: where one person does everything, there is nobody else.
 */
export function assertMayApprove(
  { subject, label, platform }: Principal,
  { owner, requesters }: { readonly owner: string; readonly requesters: readonly string[] },
): void {
  const owns = [label, subject.replace(/^user:/, "")].some(
    (name) => name.trim().toLowerCase() === owner.toLowerCase(),
  );
  const asked = requesters.includes(subject) && !platform.has("admin");
  if (!owns && !asked) return;
  const what = owns ? `the pipeline's owner ${owner}` : "who asked for the pipeline's spec as it is";
  throw new AppError("forbidden", `${label} is ${what}: somebody else has to approve the exception`);
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
