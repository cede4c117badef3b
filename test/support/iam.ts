interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** A request as IAM judges it; `context` holds the condition keys that it has. */
export interface JudgedRequest {
  readonly action: string;
  readonly resource?: string;
  readonly context?: Readonly<Record<string, string>>;
}

/** Whether a policy document allows a request, as far as the documents of this repository go; others throw. */
export function allows(policy: string, { action, resource = "*", context = {} }: JudgedRequest): boolean {
  const { Statement } = JSON.parse(policy) as { Statement: readonly Statement[] };
  const applying = Statement.filter(
    (statement) =>
      statement.Action.some((pattern) => like(pattern.toLowerCase(), action.toLowerCase())) &&
      [statement.Resource].flat().some((pattern) => like(pattern, resource)) &&
      Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
        Object.entries(keys).every(([key, values]) => holds(operator, context[key], [values].flat())),
      ),
  );
  return (
    applying.some(({ Effect }) => Effect === "Allow") && !applying.some(({ Effect }) => Effect === "Deny")
  );
}

function holds(operator: string, value: string | undefined, values: readonly string[]): boolean {
  switch (operator) {
    case "StringNotEquals":
      return value === undefined || !values.includes(value);
    case "StringLike":
      return value !== undefined && values.some((pattern) => like(pattern, value));
    case "StringLikeIfExists":
      return value === undefined || values.some((pattern) => like(pattern, value));
    default:
      throw new Error(`No rule for ${operator}`);
  }
}

function like(pattern: string, text: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${escaped}$`, "s").test(text);
}
