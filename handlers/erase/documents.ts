import { Unsearchable } from "./records.ts";
import type { Subject } from "./request.ts";

/** What takes the place of a text of the subject: counts that it is a name of stay right. */
export const ERASED = "erased";

/** A document is read whole; statistics and verdicts are far smaller. */
export const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;

/**
 * A JSON document without the subject's text, as a value and as the name of a member, and how often it stood there. Only of a subject
 * that one column of text describes: a value of one column out of several is other people's as well, and a number stands in a
 * document for much else.
 */
export function cleaned(
  document: Buffer,
  subject: Subject,
): { readonly found: number; readonly text: string } {
  const [only] = subject;
  const text = document.toString();
  if (only === undefined || subject.length > 1 || only.type !== "string") return { found: 0, text };
  let found = 0;
  const clean = (value: unknown): unknown => {
    if (value === only.value) {
      found += 1;
      return ERASED;
    }
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => {
        if (name === only.value) found += 1;
        return [name === only.value ? ERASED : name, clean(member)];
      }),
    );
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (text.includes(only.value))
      throw new Unsearchable("The subject's text stands in it, and it is no JSON");
    return { found: 0, text };
  }
  const without = clean(value);
  return { found, text: found === 0 ? text : JSON.stringify(without) };
}
