import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import Type, { type Static, type TSchema } from "typebox";

/** The application with its routes typed by their TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** A `$ref` to a schema that the application shares by its `$id`, with the type of its values. */
export function shared<Schema extends TSchema>(id: string, _schema: Schema) {
  return Type.Unsafe<Static<Schema>>({ $ref: `${id}#` });
}

const problem = {
  description: "The request failed",
  content: { "application/problem+json": { schema: { $ref: "Problem#" } } },
};

/** The problem answer for each status a route can fail with. */
export function problems(...statuses: readonly number[]) {
  const always = [400, 401, 403, 408, 429, 431, 500, 503];
  return Object.fromEntries([...always, ...statuses].map((status) => [status, problem]));
}

/**
 * Text without control characters, line breaks included, and without those that are not seen or turn the writing round: it is
 * shown in lists, logs and terminals.
 */
export const singleLine =
  "^[^\\u0000-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]*$";

const namePattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$";

export const TeamName = Type.String({ pattern: namePattern, maxLength: 24, description: "Name of a team" });
export const AccountName = Type.String({
  pattern: namePattern,
  maxLength: 32,
  description: "A team's name for an account",
});
export const PipelineName = Type.String({
  pattern: namePattern,
  maxLength: 32,
  description: "Name of a pipeline in its team",
});
export const OperationId = Type.String({ format: "uuid", description: "Id of an operation" });
export const Moment = (description: string) => Type.String({ format: "date-time", description });
