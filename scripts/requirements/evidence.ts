import { PROFILES, type Profile } from "../../programs/profiles.ts";
import type { Requirement, TestReference, Wanted } from "./requirement.ts";

/** The part of a program's run that is looked at. */
export interface EvidenceRun {
  readonly program: "pipeline" | "foundation" | "organization";
  readonly profile: Profile;
  readonly resources: readonly { readonly type: string; readonly name: string }[];
}

export interface Evidence {
  readonly runs: readonly EvidenceRun[];
  /** Ids of the policy pack. */
  readonly policies: ReadonlySet<string>;
  /** The text of a file below `test/`; undefined where there is none. */
  readonly testText: (file: string) => string | undefined;
}

export interface FoundResources {
  readonly program: EvidenceRun["program"];
  readonly type: string;
  /** The most that one run of the profile has of them. */
  readonly counts: Readonly<Record<Profile, number>>;
}

export interface FoundRequirement {
  readonly requirement: Requirement;
  readonly resources: readonly FoundResources[];
  readonly problems: readonly string[];
}

/** Looks up what keeps a promise, and says what is missing. */
export function evidenceFor(requirement: Requirement, evidence: Evidence): FoundRequirement {
  const wanted = wantedResources(requirement);
  const found = wanted.map(({ program, want }) => ({
    program,
    type: typeOf(want),
    counts: countsOf(evidence.runs, program, want),
  }));
  const missing = wanted.flatMap(({ profiles, program, want }, index) =>
    profiles
      .filter((profile) => found[index]?.counts[profile] === 0)
      .map((profile) => `no ${program} in ${profile} has ${describe(want)}`),
  );
  const tests = requirement.tests ?? [];
  const problems = [
    ...missing,
    ...tests
      .filter((test) => !isTested(test, evidence))
      .map(([file, title]) => `test/${file} has no test "${title}"`),
    ...policyProblems(requirement, evidence.policies),
    ...emptyProblems(requirement),
  ];
  return {
    requirement,
    resources: found,
    problems: problems.map((problem) => `${requirement.id}: ${problem}`),
  };
}

function policyProblems({ policies = [] }: Requirement, pack: ReadonlySet<string>): readonly string[] {
  if (policies === "all") return pack.size > 0 ? [] : ["the policy pack is empty"];
  return policies.filter((id) => !pack.has(id)).map((id) => `the policy pack has no ${id}`);
}

/** Resources of the runs that no requirement asks for, by type. */
export function unasked(
  requirements: readonly Requirement[],
  runs: readonly EvidenceRun[],
): readonly string[] {
  const wanted = requirements.flatMap(wantedResources);
  const types = runs.flatMap(({ program, resources }) =>
    resources
      .filter(
        (resource) => !wanted.some((entry) => entry.program === program && matches(entry.want, resource)),
      )
      .map(({ type }) => `${type} (${program})`),
  );
  return [...new Set(types)].toSorted();
}

interface WantedIn {
  readonly program: EvidenceRun["program"];
  /** In which of them it must be. */
  readonly profiles: readonly Profile[];
  readonly want: Wanted;
}

function wantedResources(requirement: Requirement): readonly WantedIn[] {
  const profiles = requirement.from === "learning" ? PROFILES : (["production"] as const);
  const late = ["production"] as const;
  return [
    ...(requirement.pipeline ?? []).map((want) => ({ program: "pipeline" as const, profiles, want })),
    ...(requirement.productionPipeline ?? []).map((want) => ({
      program: "pipeline" as const,
      profiles: late,
      want,
    })),
    ...(requirement.foundation ?? []).map((want) => ({ program: "foundation" as const, profiles, want })),
    ...(requirement.productionFoundation ?? []).map((want) => ({
      program: "foundation" as const,
      profiles: late,
      want,
    })),
    ...(requirement.organization ?? []).map((want) => ({
      program: "organization" as const,
      profiles: late,
      want,
    })),
  ];
}

const typeOf = (want: Wanted): string => (typeof want === "string" ? want : want[0]);

const describe = (want: Wanted): string =>
  typeof want === "string" ? want : `${want[0]} named like ${want[1].source}`;

function matches(want: Wanted, { type, name }: EvidenceRun["resources"][number]): boolean {
  if (type !== `aws:${typeOf(want)}`) return false;
  return typeof want === "string" || want[1].test(name);
}

function countsOf(
  runs: readonly EvidenceRun[],
  program: EvidenceRun["program"],
  want: Wanted,
): Record<Profile, number> {
  const most = (profile: Profile) =>
    Math.max(
      0,
      ...runs
        .filter((run) => run.program === program && run.profile === profile)
        .map(({ resources }) => resources.filter((resource) => matches(want, resource)).length),
    );
  return { learning: most("learning"), production: most("production") };
}

/** Titles are looked for as they are written: a test that was renamed must be renamed here. */
/** Whether a test, and not any other text of the file, has this title: `it("…"` or the call that follows `it.each(…)`. */
function isTested([file, title]: TestReference, { testText }: Evidence): boolean {
  const text = testText(file) ?? "";
  return text
    .split(JSON.stringify(title))
    .slice(0, -1)
    .some((before) => /(?:\bit|\btest|\))\(\s*$/.test(before));
}

function emptyProblems({ keptBy, tests, notYet, policies, ...requirement }: Requirement): string[] {
  const kept = (keeper: string) => keptBy.some((entry) => entry === keeper);
  const some = (list: readonly unknown[] | "all" | undefined) => list !== undefined && list.length > 0;
  const hasPipeline = some(requirement.pipeline) || some(requirement.productionPipeline);
  const hasFoundation = [
    requirement.foundation,
    requirement.productionFoundation,
    requirement.organization,
  ].some(some);
  const problems: string[] = [];
  if (kept("resources") && !hasPipeline && !hasFoundation) problems.push("names no resource");
  if (kept("foundation") && !hasFoundation) problems.push("names no resource of the foundation");
  if (kept("policy") && !some(policies)) problems.push("names no policy");
  const isMade = kept("resources") || kept("foundation") || kept("policy");
  if (!some(tests) && isMade) problems.push("names no test");
  if (!some(tests) && !isMade && notYet === undefined)
    problems.push("names neither a test nor what is missing");
  return problems;
}
