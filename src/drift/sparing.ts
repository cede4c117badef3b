import { parsePropertyPath } from "../engine/property-path.ts";
import type { SpareRequest, Step } from "../engine/protocol.ts";
import { classifySteps, type FoundDrift } from "./classify.ts";
import { matchesRule } from "./holding.ts";

/** What a reconciliation does and leaves, by what just drifted. */
export interface Sparing {
  /** Resources that it doesn't look at. */
  readonly exclude: readonly string[];
  /** Set where one of them is gone: what depends on it can't be made without it. */
  readonly excludeDependents: boolean;
  /** Inputs that it leaves as they are, of resources of which it brings others back: by type and name, as `nameOf` says. */
  readonly ignore: ReadonlyMap<string, readonly string[]>;
  /** Every drift that it leaves. */
  readonly kept: readonly FoundDrift[];
  /** What it would make anew although data went with it. */
  readonly losses: readonly FoundDrift[];
}

/** What a resource is known by in `Sparing.ignore`. */
export function nameOf({ type, name }: { readonly type: string; readonly name: string }): string {
  return `${type}::${name}`;
}

/**
 * Decides what a reconciliation brings back: everything but what is accepted or ignored, and what a release has promoted. A resource
 * with nothing else is left out; of the others the inputs that are left are named.
 */
export function spare(steps: readonly Step[], request: SpareRequest): Sparing {
  const accepted = new Set(request.accepted.map(({ urn, path }) => `${urn}|${path}`));
  const isKept = (drift: FoundDrift) =>
    (request.only !== undefined && !request.only.includes(drift.urn)) ||
    drift.verdict.class === "ml_promotion" ||
    accepted.has(`${drift.urn}|${drift.path}`) ||
    (!drift.verdict.dataLoss && request.rules.some((rule) => matchesRule(rule, drift)));
  const drifts = classifySteps(steps);
  const byUrn = Map.groupBy(drifts, ({ urn }) => urn);
  const exclude: string[] = [];
  const kept: FoundDrift[] = [];
  const ignore = new Map<string, readonly string[]>();
  for (const [urn, own] of byUrn) {
    const spared = own.filter(isKept);
    const inputs = new Set(spared.map(({ path }) => inputOf(path)));
    // The engine knows inputs by their first name best: a deeper path that one side lacks would make it fail.
    const left = own.filter((drift) => inputs.has(inputOf(drift.path)));
    kept.push(...left);
    if (left.length === 0) continue;
    if (own.every((drift) => inputs.has(inputOf(drift.path)) || drift.verdict.class === "benign"))
      exclude.push(urn);
    else if (own[0] !== undefined) ignore.set(nameOf(own[0]), [...inputs]);
  }
  const isGone = (drift: FoundDrift) => drift.path === "";
  return {
    exclude,
    excludeDependents: kept.some(isGone),
    ignore,
    kept,
    losses: drifts.filter((drift) => drift.verdict.dataLoss && !kept.includes(drift)),
  };
}

/** The input that a property's path belongs to; empty for the path of a resource that is gone. */
export function inputOf(path: string): string {
  const [input = ""] = parsePropertyPath(path);
  return input === "tagsAll" ? "tags" : String(input);
}
