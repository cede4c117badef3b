/**
 * `lost`: what should be there and isn't. `orphans`: what nobody knows. `duplicates`: what is there twice. `stuck`: what didn't
 * come to its end. `leaks`: what should be gone.
 */
export const violationKinds = ["lost", "orphans", "duplicates", "stuck", "leaks"] as const;
export type ViolationKind = (typeof violationKinds)[number];

export interface Violation {
  readonly kind: ViolationKind;
  /** Names what it is about, and what it should be. */
  readonly text: string;
  /** The operations that tell how it came about. */
  readonly operations: readonly string[];
}

export function violation(kind: ViolationKind, text: string, operations: readonly string[] = []): Violation {
  return { kind, text, operations };
}
