/** What one statement of an IAM policy document says, in one form. */
interface Statement {
  readonly effect: string;
  readonly principals: readonly string[];
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions: readonly Condition[];
  /** It says what it is not about (NotAction, NotResource, NotPrincipal): only the very same statement covers it. */
  readonly inverted: boolean;
  readonly text: string;
}

interface Condition {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/**
 * Whether a policy document may allow something that the one before it didn't: a permission that no earlier one covers, or a
 * denial that is gone or narrower. Errs to "yes": wildcards are compared by form, and what can't be read may say anything.
 * `before` undefined: there was no document, and nothing was allowed or denied.
 */
export function allowsMore(before: unknown, after: unknown): boolean {
  if (before === after) return false;
  const [was, is] = [statementsOf(before), statementsOf(after)];
  if (was === undefined || is === undefined) return true;
  return (
    is.some((statement) => statement.effect !== "Deny" && !isCovered(statement, was, "Allow")) ||
    was.some((statement) => statement.effect === "Deny" && !isCovered(statement, is, "Deny"))
  );
}

/** Whether a document denies anything: without it, that would be open. */
export function denies(document: unknown): boolean {
  return statementsOf(document)?.some(({ effect }) => effect === "Deny") ?? true;
}

/** Whether statements of that effect say all that this one says, taken together. */
function isCovered(statement: Statement, by: readonly Statement[], effect: string): boolean {
  const same = by.filter((other) => other.effect === effect);
  if (same.some(({ text }) => text === statement.text)) return true;
  if (statement.inverted) return false;
  const wider = same.filter((other) => !other.inverted && isAsStrict(statement.conditions, other.conditions));
  return statement.principals.every((principal) =>
    statement.actions.every((action) =>
      statement.resources.every((resource) =>
        wider.some(
          (other) =>
            other.principals.some((pattern) => principalCovers(pattern, principal)) &&
            other.actions.some((pattern) => patternCovers(pattern.toLowerCase(), action.toLowerCase())) &&
            other.resources.some((pattern) => patternCovers(pattern, resource)),
        ),
      ),
    ),
  );
}

/** Whether the first conditions are met only where the second are. */
function isAsStrict(conditions: readonly Condition[], than: readonly Condition[]): boolean {
  return than.every((wanted) =>
    conditions.some(({ operator, key, values }) => {
      if (operator !== wanted.operator || key !== wanted.key) return false;
      // Of the values of a negated operator none may be met, of the others one must.
      const [few, many] = operator.includes("not") ? [wanted.values, values] : [values, wanted.values];
      return few.every((value) => many.includes(value));
    }),
  );
}

function principalCovers(pattern: string, principal: string): boolean {
  return pattern === "*" || pattern === principal || (pattern === "AWS:*" && principal.startsWith("AWS:"));
}

/** Whether everything that the second pattern matches is matched by the first: its wildcards stand for themselves. */
function patternCovers(pattern: string, covered: string): boolean {
  const source = pattern
    .replace(/[\\^$.|+()[\]{}]/g, "\\$&")
    .replaceAll("*", "[^]*")
    .replaceAll("?", "[^*]");
  return new RegExp(`^${source}$`).test(covered);
}

/** The statements of a document, an object or its JSON; none where there is no document, undefined where it can't be read. */
function statementsOf(document: unknown): readonly Statement[] | undefined {
  if (document === undefined || document === null || document === "") return [];
  const parsed = typeof document === "string" ? parsedJson(document) : document;
  if (!isRecord(parsed)) return undefined;
  const { Statement: found } = parsed;
  const all = Array.isArray(found) ? found : [found];
  return all.every(isRecord) ? all.map(statementOf) : undefined;
}

function statementOf(value: Readonly<Record<string, unknown>>): Statement {
  const { Sid: _, Effect, Principal, Action, Resource, Condition, ...others } = value;
  return {
    effect: Effect === "Deny" ? "Deny" : "Allow",
    // In an identity's policy there is no principal, in a trust policy no resource.
    principals: Principal === undefined ? [""] : principalsOf(Principal),
    actions: textsOf(Action),
    resources: Resource === undefined ? [""] : textsOf(Resource),
    conditions: conditionsOf(Condition),
    inverted: Object.keys(others).length > 0,
    text: JSON.stringify(sorted({ ...others, Effect, Principal, Action, Resource, Condition })),
  };
}

function principalsOf(value: unknown): string[] {
  if (!isRecord(value)) return textsOf(value);
  return Object.entries(value).flatMap(([kind, names]) => textsOf(names).map((name) => `${kind}:${name}`));
}

function conditionsOf(value: unknown): Condition[] {
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([operator, keys]) =>
    Object.entries(isRecord(keys) ? keys : {}).map(([key, values]) => ({
      operator: operator.toLowerCase(),
      key: key.toLowerCase(),
      values: textsOf(values),
    })),
  );
}

function textsOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map(String);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).sort();
  if (!isRecord(value)) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, sorted(item)]);
}
