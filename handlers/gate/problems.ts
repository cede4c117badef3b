import type { APIGatewayProxyResult } from "aws-lambda";

export interface FieldProblem {
  /** JSON pointer into the body (RFC 6901). */
  readonly path: string;
  readonly message: string;
}

/** What callers are told, by code; a status of 500 and above counts against a release that is under way. */
const PROBLEMS = {
  invalid_request: { status: 400, title: "The request breaks the schema of the data set" },
  not_found: { status: 404, title: "There is no such resource" },
  // The model understood the gate and refuses what it was asked: no failure of the service.
  model_refused: { status: 424, title: "The model refuses this request" },
  too_many_requests: { status: 429, title: "The requests look like probing of the model" },
  model_failed: { status: 502, title: "The model failed" },
  model_unavailable: { status: 503, title: "The model is not ready" },
  no_model: { status: 503, title: "No model is released yet" },
  model_timeout: { status: 504, title: "The model did not answer in time" },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

interface ProblemOptions {
  readonly cause?: unknown;
  readonly retryAfterSeconds?: number;
  readonly errors?: readonly FieldProblem[];
  /** Errors that are not listed. */
  readonly omittedErrors?: number;
}

/** Ends a request with an answer that the caller can act on. `detail` holds no value of the request. */
export class GateProblem extends Error {
  override readonly name = "GateProblem";
  readonly code: ProblemCode;
  readonly options: ProblemOptions;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.options = options;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

/** As problem details (RFC 9457). */
export function problemResult(problem: GateProblem, requestId: string): APIGatewayProxyResult {
  const { retryAfterSeconds, errors, omittedErrors } = problem.options;
  return {
    statusCode: problem.status,
    headers: {
      "Content-Type": "application/problem+json",
      ...SAFE_HEADERS,
      ...(retryAfterSeconds !== undefined && { "Retry-After": String(retryAfterSeconds) }),
    },
    body: JSON.stringify({
      type: "about:blank",
      title: PROBLEMS[problem.code].title,
      status: problem.status,
      code: problem.code,
      detail: problem.message,
      requestId,
      ...(errors && { errors }),
      ...(omittedErrors ? { omittedErrors } : {}),
    }),
  };
}

/** As API Gateway's own answers have them (programs/serving/prediction-api.ts). */
export const SAFE_HEADERS = {
  "Cache-Control": "no-store",
  "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
  "X-Content-Type-Options": "nosniff",
} as const;
