import type { IncomingHttpHeaders } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import { digestOf } from "../digest.ts";
import { AppError } from "../errors.ts";

const tag = '"[!#-~]{0,64}"';
const anyOf = (one: string) => `^(\\*|${one}(\\s*,\\s*${one})*)$`;

/** Also taken by routes that change what has an ETag of another form. */
export const IfNoneMatch = Type.Optional(
  Type.String({
    pattern: anyOf(`(W/)?${tag}`),
    maxLength: 1_000,
    description: "ETags that the thing must not have; `*`: it must not exist yet",
  }),
);

/** The headers of routes that change what has an ETag. */
export const Preconditions = Type.Object({
  "if-match": Type.Optional(
    Type.String({
      pattern: anyOf(tag),
      maxLength: 1_000,
      description: "The ETag that the thing must have; `*`: it must exist",
    }),
  ),
  "if-none-match": IfNoneMatch,
});

/** The preconditions of a request, as its headers give them. */
export type PreconditionHeaders = Pick<IncomingHttpHeaders, "if-match" | "if-none-match">;

/** The header of routes that read what has an ETag. */
export const IfNoneMatchTag = Type.Object({
  "if-none-match": Type.Optional(
    Type.String({
      maxLength: 1_000,
      description: "ETags of what the caller has already: answered with 304 when one is still right",
    }),
  ),
});

export const NotModified = Type.Null({ description: "The caller's copy is still right" });

/** An ETag of a value: equal values have equal ones. */
export function etagOf(value: unknown): string {
  // As JSON: a moment is the text that callers see.
  return `"${digestOf(JSON.parse(JSON.stringify(value))).slice(0, 32)}"`;
}

/** Throws `etag_mismatch`, with the ETag there is, where a precondition fails. Undefined: there is nothing yet. */
export function checkPreconditions(
  { headers }: Pick<FastifyRequest, "headers">,
  current: string | undefined,
): void {
  const found = current === undefined ? "there is nothing yet" : `the ETag is ${current}`;
  refuseFailed("etag_mismatch", headers, current, found);
}

/**
 * Throws `code` where a precondition fails, in the order of RFC 9110 (https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2). `found`
 * says in words what has the ETag `current`; undefined: there is nothing yet.
 */
export function refuseFailed(
  code: "etag_mismatch" | "revision_mismatch",
  { "if-match": wanted, "if-none-match": unwanted }: PreconditionHeaders,
  current: string | undefined,
  found: string,
): void {
  const details = current === undefined ? {} : { etag: current };
  if (wanted !== undefined && !names(wanted, current)) {
    throw new AppError(code, `If-Match is ${wanted}, but ${found}: read it again and decide anew`, {
      details,
    });
  }
  if (unwanted !== undefined && names(unwanted, current)) {
    throw new AppError(
      code,
      `If-None-Match is ${unwanted}, but ${found}: read it, and send its ETag as If-Match to change it`,
      { details },
    );
  }
}

/** Sends a view under its ETag, or 304 without a body to whoever has it already. */
export function sendTagged(
  request: Pick<FastifyRequest, "headers">,
  reply: FastifyReply,
  etag: string,
  view: unknown,
): FastifyReply {
  reply.header("etag", etag);
  const known = request.headers["if-none-match"];
  const isKnown = known !== undefined && names(known, etag);
  return isKnown ? reply.code(304).send() : reply.send(view);
}

/** Whether a header names what has this ETag; that a proxy made one weak says nothing here. */
function names(header: string, etag: string | undefined): boolean {
  if (etag === undefined) return false;
  const tags = header.split(",").map((one) => one.trim().replace(/^W\//, ""));
  return header.trim() === "*" || tags.includes(etag);
}
