import { expect, it } from "vitest";
import { tooLargeToRewrite, withinLimits } from "../../../handlers/erase/limits.ts";

const GIB = 1024 ** 3;
const version = (versionId: string, bytes: number) => ({
  versionId,
  bytes,
  isLatest: false,
  storageClass: "STANDARD",
});

it.each([
  ["csv", 12],
  ["jsonl", 12],
  ["captures", 12],
  ["parquet", 8],
] as const)("A version of %s is searched up to %i GiB", (kind, limit) => {
  const most = version("most", limit * GIB);
  const more = version("more", limit * GIB + 1);
  expect(withinLimits([most, more], kind)).toEqual({
    searchable: [most],
    tooLarge: [{ versionId: "more", reason: expect.stringContaining(`more than ${limit} GiB`) }],
  });
});

it("Versions of a key are searched up to 24 GiB together, and a smaller one after one that is left out", () => {
  const [newest, next, third, oldest] = [
    version("4", 12 * GIB),
    version("3", 11 * GIB),
    version("2", 2 * GIB),
    version("1", GIB),
  ] as const;
  const { searchable, tooLarge } = withinLimits([newest, next, third, oldest], "csv");
  expect(searchable).toEqual([newest, next, oldest]);
  expect(tooLarge.map(({ versionId }) => versionId)).toEqual(["2"]);
});

it("A Parquet file is written again up to 4 GiB, and text as far as it is searched", () => {
  expect(tooLargeToRewrite({ bytes: 4 * GIB }, "parquet")).toBeUndefined();
  expect(tooLargeToRewrite({ bytes: 4 * GIB + 1 }, "parquet")).toContain("4 GiB");
  expect(tooLargeToRewrite({ bytes: 12 * GIB }, "csv")).toBeUndefined();
});
