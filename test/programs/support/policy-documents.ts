import type { Condition, Statement } from "../../../programs/policy-document.ts";
import { policyDocuments } from "../../../scripts/programs/policy-documents.ts";
import type { Registered, Run } from "./run-program.ts";

export { type FoundDocument, policyDocuments } from "../../../scripts/programs/policy-documents.ts";

export interface FoundStatement {
  /** Resource and input that hold the statement. */
  readonly where: string;
  readonly resource: Registered;
  readonly statement: Statement;
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
