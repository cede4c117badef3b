import { describe, expect, it } from "vitest";
import { specChanges } from "../../../src/pipelines/spec-diff.ts";

describe("the difference between two specs", () => {
  it("is none between equal ones, in whatever order their fields are", () => {
    expect(specChanges({ a: 1, b: { c: [1, { d: 2 }] } }, { b: { c: [1, { d: 2 }] }, a: 1 })).toEqual([]);
  });

  it("names each field that changed, came or went by its JSON pointer", () => {
    const changes = specChanges(
      { budget: { monthlyUsd: 25 }, notebook: { volumeGb: 20 }, tags: { "a/b~c": "1" } },
      { budget: { monthlyUsd: 50 }, ttl: { hours: 8 }, tags: { "a/b~c": "2" } },
    );
    expect(changes).toEqual([
      { path: "/budget/monthlyUsd", before: 25, after: 50 },
      { path: "/notebook", before: { volumeGb: 20 } },
      { path: "/tags/a~1b~0c", before: "1", after: "2" },
      { path: "/ttl", after: { hours: 8 } },
    ]);
  });

  it("compares lists of one length item by item, and of another length as a whole", () => {
    const column = (name: string, max: number) => ({ name, max });
    expect(
      specChanges(
        { schema: [column("age", 1), column("b", 2)] },
        { schema: [column("age", 9), column("b", 2)] },
      ),
    ).toEqual([{ path: "/schema/0/max", before: 1, after: 9 }]);
    expect(specChanges({ emails: ["a"] }, { emails: ["a", "b"] })).toEqual([
      { path: "/emails", before: ["a"], after: ["a", "b"] },
    ]);
  });

  it("tells apart what has another kind", () => {
    expect(specChanges({ a: { 0: "x" } }, { a: ["x"] })).toHaveLength(1);
    expect(specChanges({ a: null }, { a: {} })).toEqual([{ path: "/a", before: null, after: {} }]);
  });

  it("reads keys that every object has as what they are", () => {
    const before = JSON.parse('{"tags":{"__proto__":"1","constructor":"x"}}');
    const after = JSON.parse('{"tags":{"__proto__":"2","constructor":"x"}}');
    expect(specChanges(before, after)).toEqual([{ path: "/tags/__proto__", before: "1", after: "2" }]);
  });

  it("masks what looks like a credential", () => {
    const key = ["AKIA", "IOSFODNN7EXAMPLE"].join("");
    expect(JSON.stringify(specChanges({ tags: { a: "1" } }, { tags: { a: key } }))).not.toContain(key);
  });
});
