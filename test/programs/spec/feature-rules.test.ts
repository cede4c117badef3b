import { describe, expect, it } from "vitest";
import { fitless } from "../../../programs/spec/feature-names.ts";
import { specProblems } from "../../../programs/spec.ts";
import { someFeatures } from "../../handlers/support/accepted-records.ts";
import { aSpec } from "../support/inputs.ts";

const SCHEMA = [
  { name: "id", type: "string", nullable: false },
  { name: "at", type: "timestamp", nullable: false },
  { name: "visit", type: "date", nullable: true },
  { name: "amount", type: "number", nullable: true },
  { name: "rooms", type: "integer", nullable: true },
  { name: "sold", type: "boolean", nullable: false },
  { name: "city", type: "string", nullable: true },
  { name: "price", type: "number", nullable: false },
] as const;

const problems = (features: object, dataset: object = {}) =>
  specProblems(
    aSpec({
      dataset: { schema: [...SCHEMA], features: someFeatures({ target: "price", ...features }), ...dataset },
    } as Parameters<typeof aSpec>[0]),
  );
const pathsOf = (features: object) =>
  problems(features).map(({ path }) => path.replace("/dataset/features", ""));

const derived = (...derive: object[]) => ({
  derive: derive.map((each, index) => ({ name: `f${index}`, ...each })),
});

describe("declared features", () => {
  it("may do all of this together", () => {
    const features = {
      drop: ["id"],
      derive: [
        { name: "per room", operation: "ratio", columns: ["amount", "rooms"] },
        { name: "log", operation: "log1p", column: "per room" },
        { name: "size", operation: "bucket", column: "rooms", edges: [1, 3, 5] },
        { name: "bin", operation: "quantileBin", column: "amount", bins: 10 },
        { name: "weekday", operation: "datePart", column: "visit", part: "dayOfWeek" },
        { name: "hour", operation: "datePart", column: "at", part: "hour" },
        { name: "undated", operation: "flag", column: "visit", is: "missing" },
        { name: "in Bern", operation: "flag", column: "city", is: "equal", value: "Bern" },
        { name: "clipped", operation: "clip", column: "amount", min: 0 },
        { name: "from id", operation: "flag", column: "id", is: "notEqual", value: "x" },
      ],
      impute: [
        { columns: ["amount", "rooms", "log"], strategy: "median" },
        { columns: ["city"], strategy: "constant", fillValue: "none" },
        { columns: ["sold"], strategy: "constant", fillValue: false },
      ],
      scale: [{ columns: ["amount", "log"], method: "standard" }],
      encode: [{ columns: ["city", "rooms", "sold", "size", "bin", "weekday", "hour"], method: "one-hot" }],
    };
    expect(problems(features)).toEqual([]);
  });

  it.each([
    [{ target: "cost" }, "/target"],
    [{ drop: ["nobody"] }, "/drop/0"],
    [{ drop: ["id", "price"] }, "/drop/1"],
    [{ scale: [{ columns: ["amount", "nobody"], method: "robust" }] }, "/scale/0/columns/1"],
    [derived({ operation: "log1p", column: "nobody" }), "/derive/0/column"],
    [
      derived(
        { operation: "ratio", columns: ["amount", "later"] },
        { name: "later", operation: "log1p", column: "amount" },
      ),
      "/derive/0/columns/1",
    ],
  ])("name columns that there are: %o", (features, path) => {
    expect(pathsOf(features)).toEqual([path]);
  });

  it.each([
    [{ impute: [{ columns: ["price"], strategy: "mean" }] }, "/impute/0/columns/0"],
    [{ scale: [{ columns: ["price"], method: "standard" }] }, "/scale/0/columns/0"],
    [{ encode: [{ columns: ["price"], method: "ordinal" }] }, "/encode/0/columns/0"],
    [derived({ operation: "difference", columns: ["amount", "price"] }), "/derive/0/columns/1"],
  ])("leave the target as it is, and are not made of it: %o", (features, path) => {
    const [problem, ...more] = problems(features);
    expect(more).toEqual([]);
    expect(problem).toMatchObject({
      path: `/dataset/features${path}`,
      message: expect.stringContaining("the target"),
    });
  });

  it.each([
    [derived({ operation: "log1p", column: "city" }), "/derive/0/column"],
    [derived({ operation: "product", columns: ["amount", "at"] }), "/derive/0/columns/1"],
    [derived({ operation: "datePart", column: "amount", part: "year" }), "/derive/0/column"],
    [derived({ operation: "datePart", column: "visit", part: "hour" }), "/derive/0/part"],
    [derived({ operation: "flag", column: "city", is: "above", value: "B" }), "/derive/0/is"],
    [derived({ operation: "flag", column: "city", is: "equal", value: 3 }), "/derive/0/value"],
    [derived({ operation: "flag", column: "amount", is: "equal", value: "3" }), "/derive/0/value"],
    [derived({ operation: "flag", column: "visit", is: "equal", value: "2024-01-01" }), "/derive/0/is"],
    [{ impute: [{ columns: ["city"], strategy: "mean" }] }, "/impute/0/columns/0"],
    [{ impute: [{ columns: ["visit"], strategy: "most-frequent" }] }, "/impute/0/columns/0"],
    [{ impute: [{ columns: ["amount"], strategy: "constant", fillValue: "0" }] }, "/impute/0/columns/0"],
    [{ scale: [{ columns: ["city"], method: "robust" }] }, "/scale/0/columns/0"],
    [{ encode: [{ columns: ["amount"], method: "one-hot" }] }, "/encode/0/columns/0"],
    [{ encode: [{ columns: ["at"], method: "one-hot" }] }, "/encode/0/columns/0"],
  ])("fit the types of their columns: %o", (features, path) => {
    expect(pathsOf(features)).toEqual([path]);
  });

  it.each([
    [derived({ name: "AMOUNT", operation: "log1p", column: "amount" }), "/derive/0/name"],
    [
      derived(
        { name: "x", operation: "log1p", column: "amount" },
        { name: "X", operation: "log1p", column: "rooms" },
      ),
      "/derive/1/name",
    ],
    [derived({ name: "Price", operation: "log1p", column: "amount" }), "/derive/0/name"],
  ])("take no name twice, whatever its case: %o", (features, path) => {
    expect(pathsOf(features)).toEqual([path]);
  });

  it.each([
    [derived({ operation: "bucket", column: "amount", edges: [1, 3, 3] }), "/derive/0/edges/2"],
    [derived({ operation: "clip", column: "amount" }), "/derive/0"],
    [derived({ operation: "clip", column: "amount", min: 3, max: 1 }), "/derive/0/min"],
    [derived({ operation: "flag", column: "amount", is: "below" }), "/derive/0"],
    [derived({ operation: "flag", column: "amount", is: "missing", value: 1 }), "/derive/0/value"],
    [{ impute: [{ columns: ["amount"], strategy: "constant" }] }, "/impute/0/fillValue"],
    [{ impute: [{ columns: ["amount"], strategy: "mean", fillValue: 1 }] }, "/impute/0/fillValue"],
    [{ drop: ["amount"], impute: [{ columns: ["amount"], strategy: "mean" }] }, "/impute/0/columns/0"],
    [
      {
        impute: [
          { columns: ["amount"], strategy: "mean" },
          { columns: ["amount"], strategy: "median" },
        ],
      },
      "/impute/1/columns/0",
    ],
    [
      {
        scale: [{ columns: ["rooms"], method: "robust" }],
        encode: [{ columns: ["rooms"], method: "ordinal" }],
      },
      "/encode/0/columns/0",
    ],
    [{ drop: ["id", "amount", "rooms", "sold", "city"] }, ""],
  ])("make sense: %o", (features, path) => {
    expect(pathsOf(features)).toEqual([path]);
  });

  it("have names that Feature Store takes, where there is one", () => {
    const features = derived({ name: "two words", operation: "log1p", column: "amount" });
    const featureStore = { recordIdentifier: "id", eventTime: "at", online: false };
    expect(problems(features)).toEqual([]);
    expect(problems(features, { featureStore }).map(({ path }) => path)).toEqual([
      "/dataset/features/derive/0/name",
    ]);
  });
});

it("features that follow from a record alone are those without fitted bins", () => {
  const { derive } = someFeatures(
    derived(
      { name: "a", operation: "log1p", column: "amount" },
      { name: "b", operation: "quantileBin", column: "a", bins: 3 },
      { name: "c", operation: "product", columns: ["a", "b"] },
      { name: "d", operation: "flag", column: "c", is: "missing" },
      { name: "e", operation: "product", columns: ["a", "rooms"] },
    ),
  );
  expect(fitless(derive).map(({ name }) => name)).toEqual(["a", "e"]);
});
