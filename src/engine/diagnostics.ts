import { isAwsType, parseUrn } from "./phase.ts";
import type { OperationError, OperationErrorCode } from "./protocol.ts";

interface Rule {
  readonly code: OperationErrorCode;
  /** Matched against AWS error codes, and where there is none against the engine's own words. */
  readonly pattern: RegExp;
  readonly remedy: string;
}

// The engine passes a provider's failure on as text only, so this is the one place that reads text. The names are AWS's own
// error codes; each service spells the same mistake differently.
const rules: readonly Rule[] = [
  {
    code: "provider_lost",
    pattern: /error reading from server: |connection error: desc = |transport is closing/,
    remedy:
      "Look at the service's logs for what ends the provider's process, then repeat it: what was done stays done",
  },
  {
    code: "backend_unavailable",
    pattern:
      /unable to open bucket|could not (open|connect to|list) (the )?(backend|bucket)|failed to ping|failed to save snapshot|no space left on device/i,
    remedy:
      "The backend that holds the states can't be used: check PULUMI_BACKEND_URL and what stands behind it, its free space too; the next operation repairs the stack first",
  },
  {
    code: "stack_locked",
    pattern: /currently locked by|ConcurrentUpdate|conflict: Another update/i,
    remedy:
      "Another engine holds this stack's lock: wait for it, or follow docs/runbook.md when its process is gone",
  },
  {
    code: "access_denied",
    pattern:
      /\b(AccessDenied(Exception)?|UnauthorizedOperation|NotAuthorized(Exception)?|ExpiredToken(Exception)?|InvalidClientTokenId|UnrecognizedClientException)\b/,
    remedy:
      "Grant the account's role the action named in the message, or register the account with the right role",
  },
  {
    code: "throttled",
    pattern: /\b(Throttl(ing|ed)(Exception)?|TooManyRequests(Exception)?|RequestLimitExceeded|SlowDown)\b/,
    remedy: "AWS refused the rate of calls: repeat the operation, what is done stays done",
  },
  {
    code: "quota_exceeded",
    pattern:
      /\b(\w*LimitExceeded(Exception|Fault)?|ServiceQuotaExceeded(Exception)?|TooManyBuckets|QuotaExceeded)\b/,
    remedy: "Raise this quota in the account, or remove what is no longer needed, then repeat the operation",
  },
  {
    code: "already_exists",
    pattern:
      /\b(\w*AlreadyExists(Exception|Fault)?|BucketAlreadyOwnedByYou|\w*Duplicate\w*|EntityAlreadyExists)\b/,
    remedy:
      "A resource of this name exists outside this stack: remove or rename it, then repeat the operation",
  },
  {
    code: "in_use",
    pattern:
      /\b(DeleteConflict|DependencyViolation|BucketNotEmpty|ResourceInUse(Exception)?|\w*NotEmpty(Exception)?|ConflictException)\b/,
    remedy: "Something still uses this resource: remove that first, then repeat the operation",
  },
  {
    code: "missing_reference",
    pattern:
      /\b(NoSuch\w+|\w*NotFound(Exception|Fault)?|Invalid\w+\.NotFound|ResourceNotFound(Exception)?)\b/,
    remedy:
      "The resource it refers to does not exist (any more): reconcile the stack, then repeat the operation",
  },
  {
    code: "invalid_input",
    pattern:
      /\b(ValidationException|Validation(Error)?|Invalid\w+|Malformed\w+)\b|invalid|unknown property|missing required|must be/i,
    remedy:
      "AWS does not accept this value: correct the spec, or report the program if the spec can't say it",
  },
  {
    code: "program_failed",
    pattern: /unhandled exception|Running program/i,
    remedy:
      "The pipeline program itself failed: this is a defect of the service, report it with the operation's id",
  },
];

const unknownFailure = {
  code: "engine_failed",
  remedy: "Look at the operation's events and the service's logs, then repeat the operation",
} as const;

/**
 * The error of a failed run from its diagnostics, masked already: the first that names a resource decides, since the engine's
 * own "update failed" comes last and says nothing. `fallback` serves when there was none.
 */
export function operationError(
  diagnostics: readonly { readonly message: string; readonly urn?: string }[],
  fallback: string,
): OperationError {
  const telling = diagnostics.filter((diagnostic) => diagnostic.message.trim() !== "");
  const specific = telling.filter((diagnostic) => isSpecific(diagnostic));
  const chosen = specific[0] ?? telling[0];
  const message = firstParagraph(chosen?.message ?? fallback);
  const rule = ruleFor(message);
  const urn = chosen?.urn && isAwsType(parseUrn(chosen.urn).type) ? chosen.urn : undefined;
  const others = specific.slice(1).map((diagnostic) => firstParagraph(diagnostic.message));
  return {
    code: rule.code,
    message,
    remedy: rule.remedy,
    ...(urn === undefined ? {} : { resource: { urn, type: parseUrn(urn).type, name: parseUrn(urn).name } }),
    ...(others.length > 0 ? { others } : {}),
  };
}

/** Whether a diagnostic of a resource says that its provider disappeared before it had answered. */
export function saysProviderLost(message: string): boolean {
  return ruleFor(message).code === "provider_lost";
}

// An error code of AWS's decides before the prose that follows it.
function ruleFor(message: string): Rule | typeof unknownFailure {
  const awsCode = /api error ([\w.]+):/.exec(message)?.[1];
  const byCode = awsCode === undefined ? undefined : rules.find(({ pattern }) => pattern.test(awsCode));
  return byCode ?? rules.find(({ pattern }) => pattern.test(message)) ?? unknownFailure;
}

function isSpecific({ urn }: { readonly urn?: string }): boolean {
  return urn !== undefined && !urn.includes("pulumi:pulumi:Stack");
}

// What follows a blank line is a stack trace or advice for somebody at a terminal.
function firstParagraph(text: string): string {
  const [heading = "", details = ""] = text.trim().split(/\n\s*\n/);
  // "2 errors occurred:" alone says nothing.
  const paragraph = /errors? occurred:$/.test(heading) ? `${heading} ${details.trim()}` : heading;
  return paragraph.length > 2_000 ? `${paragraph.slice(0, 2_000)}…` : paragraph;
}
