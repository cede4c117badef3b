import { credentialIn, isCredentialName } from "../credential-patterns.ts";
import { pointer, type SpecProblem } from "./problem.ts";

const REMEDY = "keep secrets in AWS Secrets Manager and refer to them by name";

/**
 * Every place of a document, of whatever form, that holds a credential or is named like one. Paths and messages never repeat the
 * credential, not even where it is a key.
 */
export function* credentialProblems(document: unknown): Iterable<SpecProblem> {
  const rest: { readonly value: unknown; readonly path: string }[] = [{ value: document, path: "" }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { value, path } = next;
    if (typeof value === "string") {
      const kind = credentialIn(value);
      if (kind !== undefined) yield { path, message: `the value looks like ${kind}: ${REMEDY}` };
    }
    if (typeof value !== "object" || value === null) continue;
    const inner: { readonly value: unknown; readonly path: string }[] = [];
    for (const [key, item] of Object.entries(value)) {
      const kind = Array.isArray(value) ? undefined : credentialIn(key);
      if (kind !== undefined) yield { path, message: `a key there looks like ${kind}: ${REMEDY}` };
      else if (!Array.isArray(value) && isCredentialName(key)) {
        yield {
          path: `${path}${pointer(key)}`,
          message: `"${key}" is the name of a credential: ${REMEDY}`,
        };
      } else inner.push({ value: item, path: `${path}${pointer(key)}` });
    }
    rest.push(...inner.reverse());
  }
}
