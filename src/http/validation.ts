import type { FastifySchemaCompiler } from "fastify";
import Type, { type Static, type TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { Settings } from "typebox/system";
import { Value } from "typebox/value";
import { credentialIn } from "../../programs/credential-patterns.ts";
import { AppError, type FieldError } from "../errors.ts";
import { escapePointer, isStorable } from "./documents.ts";

// A caller gets every mistake of a body at once, within reason.
const maxErrors = 100;
Settings.Set({ maxErrors });

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

/**
 * The error for a body whose mistakes are known: its message names the first place, its details the first hundred, so that a bad
 * body can't be made to cost more than a good one.
 */
export function invalid(code: "invalid_request" | "invalid_spec", errors: readonly FieldError[]): AppError {
  const first = errors[0];
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const what = code === "invalid_spec" ? "The spec" : "The request";
  return new AppError(code, `${what} is not valid: ${first?.path || "/"} ${first?.message}${more}`, {
    details: { errors: errors.slice(0, maxErrors) },
  });
}

/** Fastify's validation by the same schemas: strings of paths and queries are converted, bodies are taken as they are. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const compiled = Compile(schema);
  return (value: unknown) => {
    if (httpPart === "body") {
      // Fastify has null for a body that isn't there, and leaves it out unless it is told a value.
      if (Type.IsOptional(schema) && value === null) return {};
      const complete = Value.Default(schema, value);
      if (compiled.Check(complete)) return { value: complete };
      return {
        error: invalid("invalid_request", fieldErrors(compiled.Errors(complete) as SchemaError[], complete)),
      };
    }
    const complete = Value.Default(schema, converted(schema, value)) as Record<string, unknown>;
    const unstorable = Object.keys(complete).filter((key) => !isStorable(String(complete[key])));
    if (unstorable.length === 0 && compiled.Check(complete)) return { value: complete };
    const errors = unstorable.map((key) => ({
      path: `/${key}`,
      message: "holds a character that can't be stored",
    }));
    if (errors.length === 0)
      errors.push(...fieldErrors(compiled.Errors(complete) as SchemaError[], complete));
    const part = httpPart === "querystring" ? "query" : httpPart;
    return {
      error: invalid(
        "invalid_request",
        errors.map((error) => ({ ...error, path: `${part}:${error.path}` })),
      ),
    };
  };
};

/** Turns a validator's findings into one message per place, in the words of the person who wrote the document. */
export function fieldErrors(errors: readonly SchemaError[], document: unknown): FieldError[] {
  const findings = new Map<string, Finding>();
  const at = (path: string): Finding => {
    const finding = findings.get(path) ?? { messages: [], types: [], values: [] };
    findings.set(path, finding);
    return finding;
  };
  for (const { keyword, instancePath: path, params, message } of errors) {
    const named = params as Record<string, unknown>;
    switch (keyword) {
      case "required":
        for (const name of named.requiredProperties as string[]) {
          at(`${path}/${escapePointer(name)}`).messages.push("is required");
        }
        break;
      // Unknown fields one by one; "additionalProperties" lists them again, unless there are too many to get so far.
      case "boolean":
        at(path).messages.push("is not a known field: remove it or correct its name");
        break;
      // The variants of a union fail one by one; together they say what is allowed.
      case "const":
        at(path).values.push(named.allowedValue);
        break;
      case "enum":
        at(path).values.push(...(named.allowedValues as unknown[]));
        break;
      case "type":
        at(path).types.push(String(named.type));
        break;
      // Both only repeat what the errors inside them say.
      case "additionalProperties":
      case "anyOf":
        break;
      default:
        at(path).messages.push(`${message}, not ${shown(valueAt(document, path))}`);
    }
  }
  return [...findings].map(([path, finding]) => ({
    path,
    message: messageOf(finding, valueAt(document, path)),
  }));
}

/** What was found at one place of a document. */
interface Finding {
  readonly messages: string[];
  readonly types: string[];
  readonly values: unknown[];
}

function messageOf({ messages, types, values }: Finding, value: unknown): string {
  const [message] = messages;
  if (message !== undefined) return message;
  if (values.length > 0) return `must be one of ${values.map(shown).join(", ")}, not ${shown(value)}`;
  return `must be ${[...new Set(types)].join(" or ")}, not ${shown(value)}`;
}

/** Values of paths, queries and headers come as text; what is written as a whole number, true or false becomes one. */
function converted(schema: TSchema, value: unknown): unknown {
  const { properties = {} } = schema as { properties?: Record<string, { type?: string }> };
  const convert = (key: string, text: unknown): unknown => {
    if (typeof text !== "string") return text;
    const type = properties[key]?.type;
    if (type === "integer" && /^-?\d{1,15}$/.test(text)) return Number(text);
    if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
    return text;
  };
  return Object.fromEntries(
    Object.entries(value as Record<string, unknown>).map(([key, text]) => [key, convert(key, text)]),
  );
}

function valueAt(document: unknown, pointer: string): unknown {
  let value = document;
  for (const segment of pointer.split("/").slice(1)) {
    const key = segment.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function shown(value: unknown): string {
  // Told by kind: what is inside may be large, or secret.
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value) ?? "nothing";
  const credential = typeof value === "string" ? credentialIn(value.slice(0, 1000)) : undefined;
  if (credential !== undefined) return `what looks like ${credential}`;
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
