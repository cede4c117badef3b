export interface SpecProblem {
  /** JSON pointer (RFC 6901) into the spec. */
  readonly path: string;
  readonly message: string;
}

export const pointer = (...keys: readonly (string | number)[]) =>
  keys.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
