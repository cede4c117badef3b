import type { Statement } from "../../programs/policy-document.ts";
import type { Registered, Run } from "./run-program.ts";

export interface FoundDocument {
  /** Resource and input that hold it. */
  readonly where: string;
  readonly resource: Registered;
  /** Path of the input, such as `policy` or `inlinePolicies.0.policy`. */
  readonly input: string;
  readonly text: string;
  readonly statements: readonly Statement[];
}

/** Every policy document in any input of any resource, at any depth. */
export function policyDocuments({ resources }: Pick<Run, "resources">): FoundDocument[] {
  return resources.flatMap((resource) =>
    textsIn(resource.inputs, []).flatMap(({ path, text }) => {
      const statements = statementsIn(text);
      const input = path.join(".");
      const where = `${resource.type} ${resource.name} ${input}`;
      return statements === undefined ? [] : [{ where, resource, input, text, statements }];
    }),
  );
}

function textsIn(value: unknown, path: readonly string[]): { path: readonly string[]; text: string }[] {
  if (typeof value === "string") return [{ path, text: value }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsIn(inner, [...path, key]));
}

function statementsIn(text: string): readonly Statement[] | undefined {
  if (!/^\s*\{/.test(text) || !text.includes('"Statement"')) return undefined;
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== "object" || parsed === null || !("Statement" in parsed)) return undefined;
  return [parsed.Statement].flat() as readonly Statement[];
}
