import { expect, it } from "vitest";
import type { FoundRequirement } from "../../../scripts/requirements/evidence.ts";
import { REQUIREMENTS } from "../../../scripts/requirements/rows/index.ts";
import { requirementsPage } from "../../../scripts/requirements/table.ts";

const row: FoundRequirement = {
  requirement: {
    id: "X1",
    promise: "Data | is kept",
    from: "learning",
    keptBy: ["resources", "handlers"],
    policies: ["encrypted-buckets"],
    tests: [["a.test.ts", "keeps data"]],
    notYet: "the handler's code",
  },
  resources: [
    { program: "pipeline", type: "s3/bucket:Bucket", counts: { learning: 7, production: 9 } },
    { program: "foundation", type: "kms/key:Key", counts: { learning: 1, production: 1 } },
  ],
  problems: [],
};

it("tells of each promise what keeps it, which test shows it, and what is missing", () => {
  const page = requirementsPage({ Infrastructure: [row] }, []);
  expect(page.split("\n").at(-2)).toBe(
    "| X1 | Data \\| is kept | learning | resources, handlers | s3/bucket 7 / 9<br>kms/key 1 (foundation)<br>policy `encrypted-buckets` | [keeps data](../test/a.test.ts) | the handler's code |",
  );
});

it("lists what no promise names", () => {
  expect(
    requirementsPage({ Infrastructure: [row] }, [
      "aws:iam/role:Role (foundation)",
      "aws:kms/key:Key (pipeline)",
    ]),
  ).toContain("need them: iam/role (foundation), kms/key (pipeline).\n");
});

it("has every promise once, in the order of its phases", () => {
  const ids = Object.values(REQUIREMENTS).flatMap((rows) => rows.map(({ id }) => id));
  const numbered = (letter: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
  expect(ids).toEqual([
    ...numbered("A", 9),
    ...numbered("I", 17),
    ...numbered("D", 15),
    ...numbered("L", 9),
    ...numbered("C", 10),
    ...numbered("$", 4),
  ]);
});
