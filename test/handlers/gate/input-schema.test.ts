import { describe, expect, it } from "vitest";
import { inputSchema } from "../../../handlers/gate/input-schema.ts";
import type { DatasetColumn } from "../../../programs/spec.ts";

const COLUMNS: readonly DatasetColumn[] = [
  { name: "species", type: "string", nullable: false, enum: ["Adelie", "Gentoo"] },
  { name: "island", type: "string", nullable: false, enum: ["Biscoe", "Dream"] },
  { name: "beak (mm)", type: "number", nullable: true, min: 32.1, max: 59.6 },
  { name: "mass/g", type: "integer", nullable: false, min: 2700, max: 6300 },
  { name: "wild", type: "boolean", nullable: false },
  { name: "seen", type: "date", nullable: false, min: "2020-01-01", max: "2026-12-31" },
  { name: "at", type: "timestamp", nullable: true, max: "2026-12-31T23:59:59Z" },
];

const ROW = {
  island: "Biscoe",
  "beak (mm)": 39.1,
  "mass/g": 3750,
  wild: true,
  seen: "2021-02-28",
  at: "2021-02-28T10:00:00+01:00",
};

const check = inputSchema(COLUMNS, "species");
const checkRows = (...rows: unknown[]) => check(JSON.stringify({ instances: rows }));
const pathsOf = (...rows: unknown[]) => checkRows(...rows).problems.map(({ path }) => path);

describe("a request", () => {
  it("is taken when every row keeps the rules", () => {
    expect(checkRows(ROW, ROW)).toMatchObject({ problems: [], omitted: 0, outOfRange: 0, typed: [ROW, ROW] });
  });

  it("is told every place that breaks the schema, by a JSON pointer", () => {
    const found = checkRows({ ...ROW, island: 7, "mass/g": 3750.5 }, ROW, {
      ...ROW,
      wild: "yes",
      "beak (mm)": 60,
      extra: 1,
    });
    expect(found.problems).toEqual([
      { path: "/instances/0/island", message: "must be a string" },
      { path: "/instances/0/mass~1g", message: "must be an integer within 53 bits" },
      { path: "/instances/2/extra", message: "is no column of the data set" },
      { path: "/instances/2/beak (mm)", message: "must be at most 59.6" },
      { path: "/instances/2/wild", message: "must be true or false" },
    ]);
  });

  it("names the target as what the model predicts", () => {
    expect(checkRows({ ...ROW, species: "Adelie" }).problems).toEqual([
      { path: "/instances/0/species", message: "is what the model predicts and no input" },
    ]);
  });

  it.each([
    ["no JSON", "{", ""],
    ["a list", "[]", ""],
    ["null", "null", ""],
    ["no rows", '{"instances":[]}', "/instances"],
    ["rows that are no list", '{"instances":{}}', "/instances"],
    ["a row that is no object", '{"instances":[[1]]}', "/instances/0"],
    ["101 rows", JSON.stringify({ instances: Array(101).fill(ROW) }), "/instances"],
  ])("is refused that is or has %s", (_, body, path) => {
    expect(check(body).problems.map((problem) => problem.path)).toEqual([path]);
  });

  it("is refused for a member beside the rows", () => {
    const body = JSON.stringify({ instances: [ROW], parameters: {} });
    expect(check(body).problems).toEqual([{ path: "/parameters", message: "is not expected" }]);
  });

  it("tells how many problems it does not list", () => {
    const wrong = Object.fromEntries(Object.keys(ROW).map((name) => [name, {}]));
    const found = checkRows(...Array(100).fill({ ...wrong, a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 }));
    expect(found.problems).toHaveLength(1000);
    expect(found.omitted).toBe(200);
  });
});

describe("a column", () => {
  it("may be null or absent where it is nullable, and nowhere else", () => {
    const { at: _, ...without } = ROW;
    expect(pathsOf(without, { ...ROW, at: null })).toEqual([]);
    const { wild: __, ...lacking } = ROW;
    expect(pathsOf(lacking, { ...ROW, wild: null })).toEqual(["/instances/0/wild", "/instances/1/wild"]);
  });

  it("may be absent where nobody says which one is the target, but not null", () => {
    const rows = JSON.stringify({ instances: [ROW, { ...ROW, wild: null }] });
    expect(inputSchema(COLUMNS, undefined)(rows).problems).toEqual([
      { path: "/instances/1/wild", message: "must not be null" },
    ]);
  });

  it("has exactly its declared name", () => {
    expect(pathsOf({ ...ROW, Island: "Biscoe" })).toEqual(["/instances/0/Island"]);
  });

  it.each([
    ["beak (mm)", 32.1, 59.6, 32.09, 59.61],
    ["mass/g", 2700, 6300, 2699, 6301],
    ["seen", "2020-01-01", "2026-12-31", "2019-12-31", "2027-01-01"],
  ])("%s includes both ends of its range", (name, least, most, below, above) => {
    expect(pathsOf({ ...ROW, [name]: least }, { ...ROW, [name]: most })).toEqual([]);
    const outside = checkRows({ ...ROW, [name]: below }, { ...ROW, [name]: above });
    expect(outside.problems).toHaveLength(2);
    expect(outside.outOfRange).toBe(2);
  });

  it("of timestamps is compared as a moment, whatever its zone", () => {
    expect(pathsOf({ ...ROW, at: "2027-01-01T00:59:59+01:00" })).toEqual([]);
    expect(pathsOf({ ...ROW, at: "2026-12-31T23:00:00-01:00" })).toEqual(["/instances/0/at"]);
  });

  it.each([
    ["mass/g", "3750"],
    ["mass/g", 2 ** 53],
    ["mass/g", true],
    ["beak (mm)", "39.1"],
    ["wild", 1],
    ["seen", "2021-02-29"],
    ["seen", "2021-2-28"],
    ["seen", "2021-02-28T00:00:00Z"],
    ["at", "2021-02-28"],
    ["at", "2021-02-30T10:00:00Z"],
    ["at", "2021-02-28T25:00:00Z"],
    ["at", "2021-02-28T24:00:00Z"],
    ["at", "2021-02-28T10:60:00Z"],
    ["at", "2021-02-28T10Z"],
    ["island", ["Biscoe"]],
    ["island", { a: 1 }],
  ])("%s has not the type of %j", (name, value) => {
    const found = checkRows({ ...ROW, [name]: value });
    expect(found.problems).toHaveLength(1);
    expect(found).toMatchObject({ typed: [], outOfRange: 0 });
  });

  it.each([
    "2021-02-28T10:00",
    "2021-02-28 10:00:00",
    "2021-02-28T10:00:00.123456789Z",
    "2021-02-28T10:00:00+0130",
    "2021-02-28T10:00:00-01",
  ])("of timestamps takes %s", (at) => {
    expect(pathsOf({ ...ROW, at })).toEqual([]);
  });

  it("with a pattern takes only what matches it as a whole", () => {
    const code = inputSchema(
      [{ name: "code", type: "string", nullable: false, pattern: "(?i)[a-z]{2}-\\d+" }],
      "x",
    );
    const rows = ["AB-12", "ab-1", "ab-", " ab-1", "ab-1\n"].map((text) => ({ code: text }));
    const found = code(JSON.stringify({ instances: rows }));
    expect(found.problems.map(({ path }) => path)).toEqual([2, 3, 4].map((row) => `/instances/${row}/code`));
    expect(found.outOfRange).toBe(3);
  });

  it("with a pattern keeps nobody waiting who sends a text made to be slow", () => {
    const slow = inputSchema([{ name: "code", type: "string", nullable: false, pattern: "(?i)(a+)+" }], "x");
    const body = (code: string) => JSON.stringify({ instances: [{ code }] });
    expect(slow(body("A".repeat(5000))).problems).toEqual([]);
    expect(slow(body(`${"a".repeat(60)}!`)).problems).toEqual([
      { path: "/instances/0/code", message: "must match the column's pattern" },
    ]);
  });

  it("with a pattern that RE2 alone understands is checked as any other", () => {
    for (const pattern of ["[[:alpha:]]+", "\\pL+", "(?P<letters>a+)", "\\Aa\\z"]) {
      const check = inputSchema([{ name: "code", type: "string", nullable: false, pattern }], "x");
      expect(check('{"instances":[{"code":"a"}]}').problems).toEqual([]);
      expect(check('{"instances":[{"code":"1"}]}').problems).toHaveLength(1);
    }
  });

  it("of numbers is finite, which JSON's 1e999 is not", () => {
    const body = `{"instances":[${JSON.stringify(ROW).replace("39.1", "1e999")}]}`;
    expect(check(body).problems).toEqual([
      { path: "/instances/0/beak (mm)", message: "must be a finite number, or null" },
    ]);
  });

  it("with listed values takes no other, and leaving the list counts as leaving the range", () => {
    expect(checkRows({ ...ROW, island: "biscoe" })).toMatchObject({
      problems: [{ path: "/instances/0/island", message: "must be one of the listed values" }],
      outOfRange: 1,
    });
  });

  it("of timestamps with listed values takes the same moment in another zone", () => {
    const listed = inputSchema(
      [{ name: "at", type: "timestamp", nullable: false, enum: ["2026-01-31T12:00:00Z"] }],
      "x",
    );
    const isTaken = (text: string) =>
      listed(JSON.stringify({ instances: [{ at: text }] })).problems.length === 0;
    expect(isTaken("2026-01-31T13:00:00+01:00")).toBe(true);
    expect(isTaken("2026-01-31T13:00:00Z")).toBe(false);
  });

  it("of texts is whole characters", () => {
    const texts = inputSchema([{ name: "text", type: "string", nullable: false }], "x");
    const problemsOf = (text: string) => texts(JSON.stringify({ instances: [{ text }] })).problems;
    expect(problemsOf("\ud83d")).toEqual([{ path: "/instances/0/text", message: "must be a string" }]);
    expect(problemsOf("\ud83d\ude00")).toEqual([]);
  });

  it("named like a member of every object is none of the data set's", () => {
    const body = `{"instances":[${JSON.stringify(ROW).replace("{", '{"__proto__":1,')}]}`;
    expect(check(body).problems.map(({ path }) => path)).toEqual(["/instances/0/__proto__"]);
    expect(
      inputSchema([{ name: "toString", type: "string", nullable: false }], "x")('{"instances":[{}]}')
        .problems,
    ).toEqual([{ path: "/instances/0/toString", message: "is missing" }]);
  });
});
