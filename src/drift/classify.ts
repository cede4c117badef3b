import { parsePropertyPath } from "../engine/property-path.ts";
import type { PropertyChange, Step } from "../engine/protocol.ts";
import type { Verdict } from "./classes.ts";
import { isEquivalent } from "./equivalence.ts";
import { rulesOf } from "./rules/index.ts";
import { benign, cost, lost, security, type TypeRules, unknown } from "./rules/rule.ts";

/** One difference between what was applied and what exists: a property, or a whole resource that is gone. */
export interface FoundDrift {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly phase: Step["phase"] | null;
  readonly awsId: string | null;
  /** Path of the property; empty where the whole resource is gone. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly verdict: Verdict;
}

/** What a drift check found, difference by difference, each judged. Nothing but its argument counts. */
export function classifySteps(steps: readonly Step[]): FoundDrift[] {
  return steps.flatMap(classifyStep);
}

function classifyStep({ action, urn, type, name, phase, awsId, changes }: Step): FoundDrift[] {
  const where = { urn, type, name, phase: phase ?? null, awsId: awsId ?? null };
  const rules = rulesOf(type);
  if (action === "delete") return [{ ...where, path: "", verdict: ofLoss(rules) }];
  const paths = new Set(changes.map(({ path }) => path));
  return changes.map((change) => {
    const { path, before, after } = change;
    return {
      ...where,
      path,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      verdict: repeatsTag(path, paths) ? benign("It repeats the change of the tag") : ofChange(rules, change),
    };
  });
}

function ofLoss(rules: TypeRules | undefined): Verdict {
  if (rules === undefined) return unknown("high", "The resource is gone");
  if (rules.holds !== undefined) return lost(`The resource is gone, and with it ${rules.holds}`);
  return rules.gone ?? { ...rules.otherwise, severity: "high", reason: "The resource is gone" };
}

/** Tags are told twice: with the program's own, and with all. */
function repeatsTag(path: string, paths: ReadonlySet<string>): boolean {
  return path.startsWith("tagsAll") && paths.has(path.replace("tagsAll", "tags"));
}

function ofChange(rules: TypeRules | undefined, change: PropertyChange): Verdict {
  const { path, before, after } = change;
  if (isEquivalent(path, before, after)) return benign("Both say the same in different forms");
  if (isTold(path)) return benign("AWS tells it and nobody sets it");
  const [property = "", key] = parsePropertyPath(path);
  if (property === "tags" || property === "tagsAll") return ofTag(key, change);
  if (explanation.test(String(property))) return benign("It explains and governs nothing");
  if (rules === undefined) return unknown("medium", "No rule knows this type");
  const judgement = rules.properties.find(([pattern]) => pattern.test(path))?.[1] ?? rules.otherwise;
  return typeof judgement === "function" ? judgement(change) : judgement;
}

const explanation = /^(description|displayName|comment|\w+Description)$/;

// What AWS writes down of what happens to a resource, in any type.
const told = new Set([
  "attachmentCount",
  "createDate",
  "createdDate",
  "creationDate",
  "creationTime",
  "etag",
  "lastModified",
  "lastModifiedDate",
  "lastModifiedTime",
  "lastUpdateDate",
  "lastUpdated",
  "lastUpdatedDate",
  "modifiedTime",
  "revisionId",
  "updatedAt",
  "updateDate",
  "versionId",
]);

function isTold(path: string): boolean {
  return told.has(String(parsePropertyPath(path).at(-1)));
}

function ofTag(key: string | number | undefined, { kind, before }: PropertyChange): Verdict {
  const tag = String(key ?? "");
  if (tag === "aidlc:classification")
    return security("high", "How sensitive the data is said to be was changed");
  if (tag.startsWith("aidlc:"))
    return cost("medium", "Whose the resource is, and who pays for it, was changed");
  if (kind === "add" && before === undefined && tag !== "") return benign("A tag that no program gave it");
  return cost("low", "Costs are told apart by tags");
}
