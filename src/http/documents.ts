import { isScalar, parseDocument, type Scalar, visit, type YAMLError, type YAMLMap } from "yaml";
import { AppError } from "../errors.ts";
import type { App } from "./app-types.ts";
import { isExactInteger, parseStrictJson, shortened } from "./strict-json.ts";

// Deeper than any document of ours; what walks a document recursively must not run out of stack.
const maxDepth = 64;
// Parsing YAML takes a hundred times as long as JSON, and nothing else is answered meanwhile. A spec has a few kilobytes.
const maxYamlCharacters = 128 * 1024;
// A handful of aliases expands to gigabytes; a spec needs none.
const maxAliases = 20;
// Keys and items together. A thousand columns with all they can say are ten thousand.
const maxValues = 50_000;
// A key is repeated in the path of every mistake below it.
const maxKeyCharacters = 512;

/** Bodies may be JSON, JSON merge patches, or YAML. */
export function acceptDocuments(app: App): void {
  app.removeAllContentTypeParsers();
  const accept = (types: string[], format: string, parse: (text: string) => unknown) => {
    app.addContentTypeParser(types, { parseAs: "string" }, (_request, body, done) => {
      try {
        done(null, parseBody(body as string, format, parse));
      } catch (error) {
        done(error as AppError);
      }
    });
  };
  accept(["application/json", "application/merge-patch+json"], "JSON", parseStrictJson);
  accept(["application/yaml", "application/x-yaml", "text/yaml"], "YAML", parseYaml);
}

function parseBody(text: string, format: string, parse: (text: string) => unknown): unknown {
  // An empty body is no body: several routes take none.
  if (text.trim() === "") return undefined;
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    if (error instanceof AppError) throw error;
    // A RangeError is the parser's own stack at its end.
    const reason =
      error instanceof RangeError ? "it is nested too deeply" : (error as Error).message.split("\n")[0];
    throw unusable("", `is not valid ${format}: ${reason}`, error);
  }
  refuseUnusable(value);
  return value;
}

function parseYaml(text: string): unknown {
  if (text.length > maxYamlCharacters) {
    throw new AppError("payload_too_large", "A YAML body has at most 128 KiB: send a smaller one, or JSON");
  }
  const document = parseDocument(text, {
    // The library's own search for keys that stand twice takes minutes for a hundred thousand keys.
    uniqueKeys: false,
    // Numbers as they are written: `exactNumber` sees whether they fit.
    intAsBigInt: true,
    // Dates, sets and binary data are nothing that JSON has.
    resolveKnownTags: false,
    // For each of what may be a hundred thousand mistakes it searches the text again.
    prettyErrors: false,
  });
  const [error] = document.errors;
  if (error?.code === "MULTIPLE_DOCS") throw new Error("it holds several documents: send one");
  if (error) throw misread(error, text);
  if (document.directives?.yaml.version !== "1.2") throw new Error("only YAML 1.2 is taken");
  const [warning] = document.warnings;
  if (warning) throw misread(warning, text);
  visit(document, {
    Map: (_key, map) => checkKeys(map),
    Scalar: (_key, scalar) => exactNumber(scalar),
  });
  return document.toJS({ maxAliasCount: maxAliases });
}

/** The mistake with its place; where the library's own stack came to its end, as the `RangeError` that it was. */
function misread({ message, pos: [offset] }: YAMLError, text: string): Error {
  if (message.startsWith("Maximum call stack")) return new RangeError(message);
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return new Error(`${message} at line ${line}, column ${offset - before.lastIndexOf("\n")}`);
}

function checkKeys(map: YAMLMap): void {
  const seen = new Set<string>();
  for (const { key } of map.items) {
    if (!isScalar(key)) throw new Error("a key must be plain text, not a list, a mapping or an alias");
    const name = key.value === null ? "" : String(key.value);
    if (seen.has(name)) throw new Error(`key ${shortened(JSON.stringify(name))} stands twice in one mapping`);
    seen.add(name);
  }
}

function exactNumber(scalar: Scalar): void {
  if (typeof scalar.value !== "bigint") return;
  const written = String(scalar.value);
  if (!isExactInteger(written)) {
    throw new Error(`the number ${shortened(written)} can't be kept exactly: send it as text`);
  }
  scalar.value = Number(scalar.value);
}

/**
 * Throws for what could be parsed and not be kept: too deep, too much, numbers beyond range, keys that mean something else to
 * JavaScript or to a terminal, text that PostgreSQL's jsonb doesn't take.
 */
function refuseUnusable(root: unknown): void {
  const rest: { readonly value: unknown; readonly depth: number; readonly path: string }[] = [
    { value: root, depth: 0, path: "" },
  ];
  let values = 0;
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { value, depth, path } = next;
    if (depth > maxDepth) throw unusable(path, `is nested deeper than ${maxDepth} levels`);
    if (typeof value === "string") refuseUnstorable(value, path);
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw unusable(path, "holds a number that is out of range or none");
    }
    if (typeof value !== "object" || value === null) continue;
    const entries = Object.entries(value);
    values += entries.length;
    if (values > maxValues) throw unusable("", `holds more than ${maxValues} keys and items`);
    for (const [key, item] of entries) {
      refuseKey(key, item, path);
      rest.push({ value: item, depth: depth + 1, path: `${path}/${escapePointer(key)}` });
    }
  }
}

function refuseKey(key: string, item: unknown, path: string): void {
  refuseUnstorable(key, path);
  if (key.length > maxKeyCharacters) {
    throw unusable(path, `holds a key of more than ${maxKeyCharacters} characters`);
  }
  // Line breaks and escapes would write lines of their own into logs and terminals that show a path.
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(key)) throw unusable(path, "holds a key with a control character");
  const reachesPrototype =
    key === "__proto__" ||
    (key === "constructor" && typeof item === "object" && item !== null && Object.hasOwn(item, "prototype"));
  if (reachesPrototype) {
    throw unusable(`${path}/${key}`, "holds a key that stands for a prototype in JavaScript");
  }
}

function refuseUnstorable(text: string, path: string): void {
  if (isStorable(text)) return;
  throw unusable(path, "holds a NUL or half of a surrogate pair, which can't be stored");
}

/** Whether PostgreSQL can hold the text. */
export function isStorable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

/** A key as a segment of a JSON pointer (RFC 6901). */
export function escapePointer(segment: string): string {
  return segment.replaceAll("~", "~0").replaceAll("/", "~1");
}

function unusable(path: string, message: string, cause?: unknown): AppError {
  return new AppError("invalid_request", `The body ${message}`, {
    cause,
    details: { errors: [{ path, message }] },
  });
}
