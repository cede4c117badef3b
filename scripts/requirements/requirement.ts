/**
 * How a promise is kept. `resources`, `foundation` and `policy` are checked: such a row must name resources that the programs
 * really make, or policies, and tests that exist.
 */
export type Keeper =
  | "spec"
  | "resources"
  | "foundation"
  | "policy"
  | "handlers"
  | "documents"
  | "reports"
  | "API";

/**
 * Resources by type such as `s3/bucket:Bucket`, all or those of some names. Whatever else of that type the programs come to make
 * counts as well, so that a further resource needs no further line here.
 */
export type Wanted = string | readonly [type: string, name: RegExp];

/** A test by its file below `test/` and its title as it stands there. */
export type TestReference = readonly [file: string, title: string];

export interface Requirement {
  readonly id: string;
  readonly promise: string;
  /** The first profile in which it is kept; `production` has everything that `learning` has. */
  readonly from: "learning" | "production";
  readonly keptBy: readonly Keeper[];
  readonly pipeline?: readonly Wanted[];
  /** Further ones of pipelines in production. */
  readonly productionPipeline?: readonly Wanted[];
  readonly foundation?: readonly Wanted[];
  readonly productionFoundation?: readonly Wanted[];
  readonly organization?: readonly Wanted[];
  /** Ids of policies, or the whole pack. */
  readonly policies?: readonly string[] | "all";
  readonly tests?: readonly TestReference[];
  /** What of it nothing keeps yet, plainly. */
  readonly notYet?: string;
}
