import type { Condition, Statement } from "../../../programs/policy-document.ts";
import type { Registered, Run } from "./run-program.ts";

export interface FoundStatement {
  /** Resource and input that hold the statement. */
  readonly where: string;
  readonly resource: Registered;
  readonly statement: Statement;
}

export interface FoundDocument {
  readonly where: string;
  readonly resource: Registered;
  readonly input: string;
  readonly text: string;
  readonly statements: readonly Statement[];
}

function documentIn(value: unknown): readonly Statement[] | undefined {
  if (typeof value !== "string" || !value.startsWith("{")) return undefined;
  const parsed: unknown = JSON.parse(value);
  if (typeof parsed !== "object" || parsed === null || !("Statement" in parsed)) return undefined;
  return parsed.Statement as readonly Statement[];
}

/** Every policy document in any input of any resource. */
export function policyDocuments({ resources }: Run): FoundDocument[] {
  return resources.flatMap((resource) =>
    Object.entries(resource.inputs).flatMap(([input, value]) => {
      const statements = documentIn(value);
      const where = `${resource.type} ${resource.name} ${input}`;
      return statements === undefined ? [] : [{ where, resource, input, text: String(value), statements }];
    }),
  );
}

export const policyStatements = (run: Run): FoundStatement[] =>
  policyDocuments(run).flatMap(({ where, resource, statements }) =>
    statements.map((statement) => ({ where: `${where} ${statement.Sid}`, resource, statement })),
  );

export const asList = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === "string" ? [value] : value;

export const conditionKeys = (condition: Condition | undefined): string[] =>
  Object.values(condition ?? {}).flatMap((tests) => Object.keys(tests));

export function servicesOf({ Principal }: Statement): readonly string[] {
  return Principal === undefined || Principal === "*" ? [] : asList(Principal.Service);
}
