import type { FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import { digestOf } from "../digest.ts";
import { AppError } from "../errors.ts";

const tag = '"[!#-~]{0,64}"';

/** The header of routes that change what has an ETag. */
export const IfMatchTag = Type.Object({
  "if-match": Type.Optional(
    Type.String({
      pattern: `^(\\*|${tag}(\\s*,\\s*${tag})*)$`,
      maxLength: 1_000,
      description: "The ETag that the thing must have; `*`: it must exist",
    }),
  ),
});

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

/** Throws `etag_mismatch`, with the ETag there is, unless it is one that the caller named. Undefined: there is nothing to change. */
export function checkIfMatch(
  { headers }: Pick<FastifyRequest, "headers">,
  current: string | undefined,
): void {
  const wanted = headers["if-match"];
  if (wanted === undefined) return;
  if (current !== undefined && (wanted === "*" || tagsIn(wanted).includes(current))) return;
  const found = current === undefined ? "there is nothing yet" : `the ETag is ${current}`;
  throw new AppError("etag_mismatch", `If-Match is ${wanted}, but ${found}: read it again and decide anew`, {
    details: current === undefined ? {} : { etag: current },
  });
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
  const isKnown = known !== undefined && (known.trim() === "*" || tagsIn(known).includes(etag));
  return isKnown ? reply.code(304).send() : reply.send(view);
}

/** The tags of a header; that a proxy made one weak says nothing here. */
function tagsIn(text: string): string[] {
  return text.split(",").map((one) => one.trim().replace(/^W\//, ""));
}
