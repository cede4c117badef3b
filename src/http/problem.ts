import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import Type, { type Static } from "typebox";
import { type Principal, sees } from "../access/principal.ts";
import { AppError, httpStatusByCode } from "../errors.ts";
import { isAway, isUnavailable } from "../postgres/unavailable.ts";
import { redactText } from "../redaction.ts";

/** RFC 9457 problem details, with a stable `code`. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: "A URI reference that names the kind of problem" }),
    title: Type.String({ description: "The kind of problem in words" }),
    status: Type.Integer({ description: "The HTTP status" }),
    code: Type.String({ description: "Stable code for programs" }),
    detail: Type.String({ description: "What happened, with the value and the remedy" }),
    instance: Type.String({ description: "The id of the request, as in the logs" }),
    operation: Type.Optional(Type.String({ description: "The operation that stands in the way" })),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          path: Type.String({
            description: "JSON pointer into the body, or query:/name, params:/name, headers:/name",
          }),
          message: Type.String({ description: "What is wrong there" }),
        }),
        { description: "Every failing place of the request" },
      ),
    ),
    losses: Type.Optional(
      Type.Array(
        Type.Object({
          type: Type.String({ description: "The resource's type" }),
          name: Type.String({ description: "The resource's name in the program" }),
          id: Type.Optional(Type.String({ description: "Its id on AWS" })),
        }),
        { description: "Every resource that holds data and would be deleted" },
      ),
    ),
  },
  { $id: "Problem", description: "RFC 9457 problem details" },
);

/** Answers every error as a problem; what isn't ours is logged and answered without detail. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = toAppError(error, request.routeOptions.schema?.consumes);
  // What is only busy, or finds the database away, comes in floods: a line each, without a trace.
  const flood = known.code === "unavailable" && (known.cause === undefined || isAway(known.cause));
  if (flood) request.log.warn({ reason: (known.cause as Error | undefined)?.message }, known.message);
  else if (known.httpStatus >= 500) request.log.error({ err: error }, "request failed");
  const retryAfter = known.details.retryAfterSeconds ?? (known.httpStatus === 503 ? 5 : undefined);
  if (retryAfter !== undefined) reply.header("retry-after", String(retryAfter));
  if (known.details.etag !== undefined) reply.header("etag", known.details.etag);
  if (known.code === "unauthenticated") reply.header("www-authenticate", challenge(request));
  return reply
    .code(known.httpStatus)
    .type("application/problem+json")
    .serializer((payload: unknown) => JSON.stringify(payload))
    .send(problemOf(known, request.id, request.principal));
}

/** The problem document for an error, in answer to the request of this id: what this principal may know of it. */
export function problemOf(
  error: AppError,
  instance: string,
  principal: Principal | null,
): Static<typeof Problem> {
  const { operation, errors, losses } = error.details;
  return {
    type: `urn:aidlc:problem:${error.code}`,
    title: error.code.replaceAll("_", " "),
    status: error.httpStatus,
    code: error.code,
    detail: redactText(error.message),
    instance,
    ...(operation !== undefined && principal && sees(principal, operation.team)
      ? { operation: operation.id }
      : {}),
    ...(errors === undefined
      ? {}
      : { errors: errors.map(({ path, message }) => ({ path, message: redactText(message) })) }),
    ...(losses === undefined ? {} : { losses: [...losses] }),
  };
}

// Only the documentation is for browsers, which ask their user for a name and a password; the API must not make them ask.
function challenge(request: FastifyRequest): string {
  const bearer = 'Bearer realm="aidlc"';
  return request.url.startsWith("/docs") ? `${bearer}, Basic realm="aidlc"` : bearer;
}

const documents = "application/json, application/yaml or, for PATCH, application/merge-patch+json";

/** `consumes`: media types of the route, where it names them. */
function toAppError(error: unknown, consumes?: readonly string[]): AppError {
  if (error instanceof AppError) return error;
  const { statusCode, code, message } = (error ?? {}) as Partial<FastifyError>;
  if (statusCode === httpStatusByCode.payload_too_large) {
    return new AppError("payload_too_large", "The body is larger than 1 MiB: send a smaller one", {
      cause: error,
    });
  }
  if (statusCode === httpStatusByCode.unsupported_media_type) {
    return new AppError("unsupported_media_type", `Send the body as ${consumes?.join(" or ") ?? documents}`, {
      cause: error,
    });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new AppError("invalid_request", `The request can't be read: ${message} (${code})`, {
      cause: error,
    });
  }
  if (isUnavailable(error)) {
    return new AppError("unavailable", "The database can't be reached at the moment: try again", {
      cause: error,
    });
  }
  return new AppError("internal", "An unexpected error happened; the logs hold it under this request's id", {
    cause: error,
  });
}
