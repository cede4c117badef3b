import type { PolicyStatement } from "./facts.ts";

/** The statements of a policy document; throws for text that is none. */
export function statementsOf(document: string): PolicyStatement[] {
  const { Statement = [] } = JSON.parse(document) as { Statement?: PolicyStatement | PolicyStatement[] };
  return [Statement].flat();
}

const texts = (value: unknown): string[] => [value].flat().filter((item) => typeof item === "string");

/** Whether a condition of this key asks for this value, whichever way upper and lower case are written. */
function asks({ Condition = {} }: PolicyStatement, operator: RegExp, key: string, value: string): boolean {
  return Object.entries(Condition).some(
    ([name, keys]) =>
      operator.test(name) &&
      Object.entries(keys).some(
        ([itsKey, values]) =>
          itsKey.toLowerCase() === key.toLowerCase() && [values].flat().map(String).includes(value),
      ),
  );
}

const isForAll = ({ Effect, Principal }: PolicyStatement, effect: string): boolean =>
  Effect === effect &&
  (Principal === "*" || texts((Principal as { AWS?: unknown } | undefined)?.AWS).includes("*"));

export const deniesPlainHttp = (statements: readonly PolicyStatement[]): boolean =>
  statements.some((one) => isForAll(one, "Deny") && asks(one, /^Bool$/, "aws:SecureTransport", "false"));

export const deniesOldTls = (statements: readonly PolicyStatement[]): boolean =>
  statements.some((one) => isForAll(one, "Deny") && asks(one, /^NumericLessThan$/, "s3:TlsVersion", "1.2"));

/** Whether anybody at all is let in: an Allow for everyone that no condition narrows. */
export const letsEverybodyIn = (statements: readonly PolicyStatement[]): boolean =>
  statements.some((one) => isForAll(one, "Allow") && Object.keys(one.Condition ?? {}).length === 0);

/**
 * Actions that a role's policy allows without bounds: everything, a whole service on every resource, or everything but what is
 * named. An action on "*" is none: some have no resource to be granted on.
 */
export function boundless(statements: readonly PolicyStatement[]): string[] {
  return statements
    .filter(({ Effect }) => Effect === "Allow")
    .flatMap(({ Action, NotAction, Resource }) => [
      ...(NotAction === undefined ? [] : ["NotAction"]),
      ...texts(Action).filter(
        (action) => action === "*" || (/^[\w-]+:\*$/.test(action) && texts(Resource).includes("*")),
      ),
    ]);
}

/** Actions of a key's policy that let somebody do everything with it. */
export const wholeKey = (statements: readonly PolicyStatement[]): string[] =>
  statements
    .filter(({ Effect }) => Effect === "Allow")
    .flatMap(({ Action }) => texts(Action).filter((action) => action === "*" || action === "kms:*"));
