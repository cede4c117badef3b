/** Stable codes of every failure that a caller can see, with the HTTP status each is answered with. */
export const httpStatusByCode = {
  invalid_request: 400,
  invalid_spec: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  team_not_found: 404,
  account_not_found: 404,
  pipeline_not_found: 404,
  operation_not_found: 404,
  revision_not_found: 404,
  policy_not_found: 404,
  policy_exception_not_found: 404,
  drift_not_found: 404,
  drift_rule_not_found: 404,
  key_not_found: 404,
  member_not_found: 404,
  webhook_not_found: 404,
  delivery_not_found: 404,
  sandbox_resource_not_found: 404,
  sandbox_fault_not_found: 404,
  request_timeout: 408,
  method_not_allowed: 405,
  team_exists: 409,
  team_in_use: 409,
  bootstrapped_already: 409,
  last_administrator: 409,
  no_issuer: 409,
  account_in_use: 409,
  account_conflict: 409,
  account_refused: 409,
  pipeline_exists: 409,
  pipeline_conflict: 409,
  drift_conflict: 409,
  foundation_not_ready: 409,
  foundation_insufficient: 409,
  stack_busy: 409,
  not_awaiting_approval: 409,
  approval_expired: 409,
  plan_changed: 409,
  confirmation_required: 409,
  request_in_progress: 409,
  answer_not_kept: 409,
  webhook_disabled: 409,
  quota_exceeded: 409,
  sandbox_only: 409,
  revision_mismatch: 412,
  etag_mismatch: 412,
  payload_too_large: 413,
  unsupported_media_type: 415,
  idempotency_key_reused: 422,
  rate_limited: 429,
  headers_too_large: 431,
  internal: 500,
  unavailable: 503,
} as const;

const refusals: ReadonlySet<number> = new Set([401, 403]);

export type ErrorCode = keyof typeof httpStatusByCode;

/** One failing place of a request: a JSON pointer into the body, or the name of a parameter. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

export interface AppErrorDetails {
  /** Every failing place, for `invalid_request` and `invalid_spec`. */
  readonly errors?: readonly FieldError[];
  /** The operation that stands in the way, or that the caller should watch; told to nobody who may not see its team. */
  readonly operation?: { readonly id: string; readonly team: string };
  readonly retryAfterSeconds?: number;
  /** The resources that hold data which would be lost, for `confirmation_required`. */
  readonly losses?: readonly { readonly type: string; readonly name: string; readonly id?: string }[];
  /** The ETag that the thing has, for whoever named another one. */
  readonly etag?: string;
}

/** The one error that crosses module borders: its code is part of the API, its message names the value and the remedy. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly details: AppErrorDetails;
  /** Refused for who asks: the audit trail records it. Of what a caller may not see, the answer is that of what isn't there. */
  readonly denied: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; details?: AppErrorDetails; denied?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
    this.denied = options.denied ?? refusals.has(httpStatusByCode[code]);
  }

  get httpStatus(): number {
    // A quota that the next day renews is a matter of time; of the others, somebody must decide.
    if (this.code === "quota_exceeded" && this.details.retryAfterSeconds !== undefined) return 429;
    return httpStatusByCode[this.code];
  }
}
