import type { FastifySchemaCompiler } from "fastify";
import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { Settings } from "typebox/system";
import { Value } from "typebox/value";
import { AppError, type FieldError } from "../errors.ts";

// A caller gets every mistake of a body at once; the body limit bounds how many there can be.
Settings.Set({ maxErrors: 100 });

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

/**
 * Compiles a TypeBox schema into a parser: fills defaults, then returns the value or throws `invalid_request` with the exact
 * path of every mistake. `prefix` goes before each path.
 */
export function parser<Schema extends TSchema>(
  schema: Schema,
  code: "invalid_request" | "invalid_spec" = "invalid_request",
) {
  const compiled = Compile(schema);
  return (value: unknown): Static<Schema> => {
    const complete = Value.Default(schema, structuredClone(value));
    if (compiled.Check(complete)) return complete as Static<Schema>;
    const errors = fieldErrors(compiled.Errors(complete) as SchemaError[], complete);
    throw invalid(code, errors);
  };
}

/** The error for a body whose mistakes are known: its message names the first place, its details name all. */
export function invalid(code: "invalid_request" | "invalid_spec", errors: readonly FieldError[]): AppError {
  const first = errors[0];
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const what = code === "invalid_spec" ? "The spec" : "The request";
  return new AppError(code, `${what} is not valid: ${first?.path || "/"} ${first?.message}${more}`, {
    details: { errors },
  });
}

/** Fastify's validation by the same schemas: strings of paths and queries are converted, bodies are taken as they are. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const compiled = Compile(schema);
  return (value: unknown) => {
    const complete = Value.Default(schema, httpPart === "body" ? value : Value.Convert(schema, value));
    if (compiled.Check(complete)) return { value: complete };
    const errors = fieldErrors(compiled.Errors(complete) as SchemaError[], complete);
    const inPart = httpPart === "querystring" ? "query" : httpPart;
    const located = httpPart === "body" ? errors : errors.map((e) => ({ ...e, path: `${inPart}:${e.path}` }));
    return { error: invalid("invalid_request", located) };
  };
};

/** Turns a validator's findings into one message per place, in the words of the person who wrote the document. */
export function fieldErrors(errors: readonly SchemaError[], document: unknown): FieldError[] {
  const found = new Map<string, string>();
  const variants = new Map<string, unknown[]>();
  for (const error of errors) {
    const path = error.instancePath;
    const params = error.params as Record<string, unknown>;
    if (error.keyword === "const" || error.keyword === "enum") {
      const allowed = (params.allowedValues as unknown[] | undefined) ?? [params.allowedValue];
      variants.set(path, [...(variants.get(path) ?? []), ...allowed]);
      continue;
    }
    if (error.keyword === "required") {
      for (const name of params.requiredProperties as string[]) {
        found.set(`${path}/${escapePointer(name)}`, "is required");
      }
      continue;
    }
    if (error.keyword === "additionalProperties") {
      for (const name of params.additionalProperties as string[]) {
        found.set(`${path}/${escapePointer(name)}`, "is not a known field: remove it or correct its name");
      }
      continue;
    }
    // Both only repeat what the errors inside them say.
    if (error.keyword === "boolean" || error.keyword === "anyOf") continue;
    if (!found.has(path)) found.set(path, `${error.message}, not ${shown(valueAt(document, path))}`);
  }
  for (const [path, allowed] of variants) {
    if (!found.has(path)) {
      found.set(
        path,
        `must be one of ${allowed.map(shown).join(", ")}, not ${shown(valueAt(document, path))}`,
      );
    }
  }
  return [...found].map(([path, message]) => ({ path, message }));
}

export function escapePointer(segment: string): string {
  return segment.replaceAll("~", "~0").replaceAll("/", "~1");
}

function valueAt(document: unknown, pointer: string): unknown {
  let value = document;
  for (const segment of pointer.split("/").slice(1)) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[segment.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return value;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
