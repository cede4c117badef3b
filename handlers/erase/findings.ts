import type { Subject } from "./request.ts";

/** What else rows are looked for by, and told of. */
export interface Search {
  readonly subject: Subject;
  /** Names of all columns of the data set, in their order. */
  readonly columns: readonly string[];
  /** The column whose values name records of the feature store. */
  readonly recordIdentifier?: string | undefined;
  /** Ids of predictions that are the subject's: labels of these are, too. */
  readonly inferences: ReadonlySet<string>;
}

/** What was found in an object. */
export interface Findings {
  rows: number;
  /** Rows of the subject. */
  found: number;
  /** False where the object has none of the subject's columns, so that no row in it can be told to be anybody's. */
  hasColumns: boolean;
  readonly records: Set<string>;
  readonly inferences: Set<string>;
}

export const noFindings = (): Findings => ({
  rows: 0,
  found: 0,
  hasColumns: true,
  records: new Set(),
  inferences: new Set(),
});

/** Whether a record is kept. */
export type Judge = (record: Buffer) => boolean;
