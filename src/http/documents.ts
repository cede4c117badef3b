import { parseDocument, visit, type YAMLMap } from "yaml";
import { AppError } from "../errors.ts";
import type { App } from "./app-types.ts";

// Deeper than any document of ours; what walks a document recursively must not run out of stack.
const maxDepth = 64;
// Parsing YAML takes a hundred times as long as JSON, and nothing else is answered meanwhile. A spec has a few kilobytes.
const maxYamlCharacters = 256 * 1024;
// A handful of aliases expands to gigabytes; a spec needs none.
const maxAliases = 20;

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
  accept(["application/json", "application/merge-patch+json"], "JSON", JSON.parse);
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
  refuseUnstorable(value);
  return value;
}

function parseYaml(text: string): unknown {
  if (text.length > maxYamlCharacters) {
    throw new AppError("payload_too_large", "A YAML body has at most 256 KiB: send a smaller one, or JSON");
  }
  // The library's own search for keys that stand twice takes minutes for a hundred thousand keys.
  const document = parseDocument(text, { uniqueKeys: false });
  const [error] = document.errors;
  if (error?.code === "MULTIPLE_DOCS") throw new Error("it holds several documents: send one");
  if (error) throw error;
  visit(document, { Map: (_key, map) => refuseTwins(map) });
  return document.toJS({ maxAliasCount: maxAliases });
}

function refuseTwins(map: YAMLMap): void {
  const seen = new Set<string>();
  for (const { key } of map.items) {
    const name = String(key);
    if (seen.has(name)) throw new Error(`key "${name}" stands twice in one mapping`);
    seen.add(name);
  }
}

/** Throws for what could be parsed and not be stored: too deep, or with a text that PostgreSQL's jsonb doesn't take. */
function refuseUnstorable(root: unknown): void {
  const rest: { readonly value: unknown; readonly depth: number; readonly path: string }[] = [
    { value: root, depth: 0, path: "" },
  ];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { value, depth, path } = next;
    if (depth > maxDepth) throw unusable(path, `is nested deeper than ${maxDepth} levels`);
    if (typeof value === "string") refuseUnstorableText(value, path);
    if (typeof value !== "object" || value === null) continue;
    for (const [key, item] of Object.entries(value)) {
      refuseUnstorableText(key, path);
      rest.push({ value: item, depth: depth + 1, path: `${path}/${escapePointer(key)}` });
    }
  }
}

function refuseUnstorableText(text: string, path: string): void {
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
