import { expect, it } from "vitest";
import { listedUris } from "../../../handlers/register-model/data-versions.ts";

it("puts the manifest's prefix before each of its entries", () => {
  expect(listedUris('[{"prefix":"s3://validated/data/"},"a.csv","b/c.csv"]')).toEqual([
    "s3://validated/data/a.csv",
    "s3://validated/data/b/c.csv",
  ]);
});

it("reads a manifest without entries", () => {
  expect(listedUris('[{"prefix":"s3://validated/data/"}]')).toEqual([]);
});

it.each(["", "{}", "[]", '["a.csv"]', '[{"prefix":1},"a.csv"]', '[{"prefix":"s3://b/"},7]'])(
  "takes %j for no manifest",
  (text) => {
    expect(listedUris(text)).toBeUndefined();
  },
);
