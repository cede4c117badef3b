import { describe, expect, it } from "vitest";
import {
  type Evidence,
  type EvidenceRun,
  evidenceFor,
  unasked,
} from "../../../scripts/requirements/evidence.ts";
import type { Requirement } from "../../../scripts/requirements/requirement.ts";

const aRun = (
  profile: EvidenceRun["profile"],
  names: readonly string[],
  program: EvidenceRun["program"] = "pipeline",
) => ({
  program,
  profile,
  resources: names.map((name) => ({ type: "aws:s3/bucket:Bucket", name })),
});

const testFile = `it("keeps data", () => {});
it.each([1, 2])(
  "loses nothing",
  () => {});
expect("a text")`;

const evidence = (runs: readonly EvidenceRun[]): Evidence => ({
  runs,
  policies: new Set(["encrypted-buckets"]),
  testText: (file) => (file === "a.test.ts" ? testFile : undefined),
});

const aRequirement = (change: Partial<Requirement> = {}): Requirement => ({
  id: "X1",
  promise: "Data is kept",
  from: "learning",
  keptBy: ["resources"],
  pipeline: ["s3/bucket:Bucket"],
  tests: [["a.test.ts", "keeps data"]],
  ...change,
});

const both = [aRun("learning", ["raw"]), aRun("production", ["raw"])];
const problemsOf = (change: Partial<Requirement>, runs: readonly EvidenceRun[] = both) =>
  evidenceFor(aRequirement(change), evidence(runs)).problems;

describe("the evidence of a promise", () => {
  it("counts the most that one stack of each profile has", () => {
    const runs = [
      aRun("learning", ["raw"]),
      aRun("learning", ["raw", "models"]),
      aRun("production", ["a", "b", "c"]),
    ];
    const { resources, problems } = evidenceFor(aRequirement(), evidence(runs));
    expect(resources).toEqual([
      { program: "pipeline", type: "s3/bucket:Bucket", counts: { learning: 2, production: 3 } },
    ]);
    expect(problems).toEqual([]);
  });

  it("is missing where a profile makes no such resource", () => {
    expect(problemsOf({}, [aRun("learning", ["raw"])])).toEqual([
      "X1: no pipeline in production has s3/bucket:Bucket",
    ]);
    expect(problemsOf({ pipeline: [["s3/bucket:Bucket", /^replica$/]] })).toHaveLength(2);
  });

  it("is wanted in production only of what begins there", () => {
    const late = [aRun("production", ["replica"])];
    expect(problemsOf({ from: "production" }, late)).toEqual([]);
    expect(problemsOf({ pipeline: [], productionPipeline: ["s3/bucket:Bucket"] }, late)).toEqual([]);
  });

  it("does not take one program's resources for another's", () => {
    expect(problemsOf({ pipeline: [], foundation: ["s3/bucket:Bucket"] })).toHaveLength(2);
  });

  it("is missing when a test that is named doesn't exist", () => {
    expect(problemsOf({ tests: [["a.test.ts", "keeps"]] })).toEqual([
      'X1: test/a.test.ts has no test "keeps"',
    ]);
    expect(problemsOf({ tests: [["b.test.ts", "keeps data"]] })).toHaveLength(1);
    expect(problemsOf({ tests: [["a.test.ts", "loses nothing"]] })).toEqual([]);
    expect(problemsOf({ tests: [["a.test.ts", "a text"]] })).toHaveLength(1);
  });

  it("is missing when a policy that is named doesn't exist", () => {
    expect(problemsOf({ policies: ["encrypted-buckets"] })).toEqual([]);
    expect(problemsOf({ policies: ["other"] })).toEqual(["X1: the policy pack has no other"]);
  });

  it.each([
    ["resources", { pipeline: [] }, "names no resource"],
    ["the foundation", { keptBy: ["foundation"] }, "names no resource of the foundation"],
    ["policies", { keptBy: ["policy"] }, "names no policy"],
    ["resources without a test", { tests: [] }, "names no test"],
    ["resources without a test, said or not", { tests: [], notYet: "the test" }, "names no test"],
    [
      "handlers without a word",
      { keptBy: ["handlers"], tests: [] },
      "names neither a test nor what is missing",
    ],
  ] satisfies [string, Partial<Requirement>, string][])(
    "can't be empty for a promise of %s",
    (_what, change, problem) => {
      expect(problemsOf(change)).toEqual([`X1: ${problem}`]);
    },
  );

  it("may be missing where the row says so and nothing but code would keep it", () => {
    expect(problemsOf({ keptBy: ["handlers"], tests: [], notYet: "the handler's code" })).toEqual([]);
  });
});

it("knows the types that no promise asks for", () => {
  const runs = [...both, aRun("learning", ["audit"], "foundation")];
  expect(unasked([aRequirement({ pipeline: [["s3/bucket:Bucket", /^raw$/]] })], runs)).toEqual([
    "aws:s3/bucket:Bucket (foundation)",
  ]);
  expect(unasked([aRequirement()], both)).toEqual([]);
});
