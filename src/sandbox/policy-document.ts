import { crc32 } from "node:zlib";
import { AwsError } from "./aws-error.ts";
import { isMap, type PropertyMap, type PropertyValue } from "./values.ts";

type Statement = Record<string, unknown>;

/** `aws.iam.getPolicyDocument`: statements become the JSON of a policy; sources come first, overrides replace by Sid. */
export function policyDocument(args: PropertyMap): PropertyMap {
  const sources = texts(args.sourcePolicyDocuments, args.sourceJson).flatMap(statementsOf);
  const own = maps(args.statements).map(toStatement);
  const overrides = texts(args.overridePolicyDocuments, args.overrideJson).flatMap(statementsOf);
  const statements = merge(merge([], [...sources, ...own], true), overrides, false);
  const document = {
    Version: args.version ?? "2012-10-17",
    ...(typeof args.policyId === "string" && { Id: args.policyId }),
    Statement: statements,
  };
  const json = JSON.stringify(document, null, 2);
  return { ...args, id: String(crc32(json)), json, minifiedJson: JSON.stringify(document) };
}

function merge(base: readonly Statement[], added: readonly Statement[], mustBeUnique: boolean): Statement[] {
  const merged = [...base];
  for (const statement of added) {
    const index = statement.Sid === undefined ? -1 : merged.findIndex(({ Sid }) => Sid === statement.Sid);
    if (index === -1) merged.push(statement);
    else if (mustBeUnique)
      throw new AwsError(
        "DuplicateSid",
        `duplicate Sid "${String(statement.Sid)}": give every statement its own`,
      );
    else merged[index] = statement;
  }
  return merged;
}

function statementsOf(text: string): Statement[] {
  if (text === "") return [];
  const document: { Statement?: Statement | Statement[] } = JSON.parse(text);
  return document.Statement === undefined ? [] : [document.Statement].flat();
}

function toStatement(statement: PropertyMap): Statement {
  const entries: Record<string, unknown> = {
    Sid: statement.sid,
    Effect: statement.effect ?? "Allow",
    Action: oneOrMany(statement.actions),
    NotAction: oneOrMany(statement.notActions),
    Resource: oneOrMany(statement.resources),
    NotResource: oneOrMany(statement.notResources),
    Principal: principals(statement.principals),
    NotPrincipal: principals(statement.notPrincipals),
    Condition: conditions(statement.conditions),
  };
  return Object.fromEntries(
    Object.entries(entries).filter(([, value]) => value !== undefined && value !== ""),
  );
}

function oneOrMany(value: PropertyValue | undefined): unknown {
  const list = texts(value);
  if (list.length === 0) return undefined;
  // The provider sorts sets in descending order.
  return list.length === 1 ? list[0] : [...list].sort().reverse();
}

function principals(value: PropertyValue | undefined): unknown {
  const byType: Record<string, string[]> = Object.create(null);
  for (const principal of maps(value)) {
    const type = String(principal.type);
    byType[type] = [...(byType[type] ?? []), ...texts(principal.identifiers)];
  }
  const entries = Object.entries(byType);
  if (entries.length === 0) return undefined;
  if (entries.length === 1 && byType["*"]?.join() === "*") return "*";
  return Object.fromEntries(entries.map(([type, identifiers]) => [type, oneOrMany(identifiers)]));
}

function conditions(value: PropertyValue | undefined): unknown {
  const byTest: Record<string, Record<string, unknown>> = {};
  for (const condition of maps(value)) {
    const test = String(condition.test);
    byTest[test] = { ...byTest[test], [String(condition.variable)]: oneOrMany(condition.values) };
  }
  return Object.keys(byTest).length === 0 ? undefined : byTest;
}

function maps(value: PropertyValue | undefined): PropertyMap[] {
  return Array.isArray(value) ? value.filter(isMap) : [];
}

function texts(...values: (PropertyValue | undefined)[]): string[] {
  return values.flat().filter((value) => typeof value === "string");
}
