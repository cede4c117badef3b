import { AwsError } from "../aws-error.ts";

export type Input = Readonly<Record<string, unknown>>;

export function optionalText(input: Input, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw new AwsError("SerializationException", `${name} must be a string`);
}

export function requiredText(input: Input, name: string): string {
  const value = optionalText(input, name);
  if (value) return value;
  throw new AwsError(
    "ValidationException",
    `1 validation error detected: Value null at '${name}' failed to satisfy constraint: Member must not be null`,
  );
}

export function oneOf(input: Input, name: string, allowed: readonly string[]): string | undefined {
  const value = optionalText(input, name);
  if (value === undefined || allowed.includes(value)) return value;
  throw new AwsError(
    "ValidationException",
    `1 validation error detected: Value '${value}' at '${name}' failed to satisfy constraint: Member must satisfy enum value set: [${allowed.join(", ")}]`,
  );
}

export interface PageRequest {
  readonly limit: number;
  readonly after: number | null;
  readonly isDescending: boolean;
}

/** Pages of every List operation; the token is the number of the last row of the page before. */
export function pageRequest(input: Input): PageRequest {
  const limit = input.MaxResults ?? 10;
  if (typeof limit !== "number" || limit < 1 || limit > 100) {
    throw new AwsError("ValidationException", `MaxResults must be between 1 and 100, not ${String(limit)}`);
  }
  const token = optionalText(input, "NextToken");
  if (token !== undefined && !/^\d+$/.test(token)) {
    throw new AwsError(
      "ValidationException",
      `NextToken "${token}" is not one of this list: leave it out to begin anew`,
    );
  }
  const order = oneOf(input, "SortOrder", ["Ascending", "Descending"]) ?? "Descending";
  return { limit, after: token === undefined ? null : Number(token), isDescending: order === "Descending" };
}

/** AWS JSON has moments as seconds since 1970. */
export function seconds(moment: Date): number {
  return moment.getTime() / 1000;
}
