import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countPeople, type Makers, mayBeSame } from "../../../src/approvals/people.ts";

const makers = (...made: readonly [key: string, maker: string, admin?: "admin"][]): Makers =>
  new Map(made.map(([key, subject, admin]) => [key, { subject, admin: admin !== undefined }]));

describe("two subjects may be the same person", () => {
  it("when one made the other's key, an admin too, or the key of that key", () => {
    const all = makers(["key:1", "user:ada"], ["key:2", "key:1"], ["key:3", "user:root", "admin"]);
    expect(mayBeSame("user:ada", "key:1", all)).toBe(true);
    expect(mayBeSame("key:2", "user:ada", all)).toBe(true);
    expect(mayBeSame("key:3", "user:root", all)).toBe(true);
    expect(mayBeSame("user:root", "key:3", all)).toBe(true);
  });

  it("when somebody made both keys for themselves, not when an admin made them for others", () => {
    const all = makers(
      ["key:1", "user:ada"],
      ["key:2", "user:ada"],
      ["key:3", "user:root", "admin"],
      ["key:4", "user:root", "admin"],
    );
    expect(mayBeSame("key:1", "key:2", all)).toBe(true);
    expect(mayBeSame("key:3", "key:4", all)).toBe(false);
    expect(mayBeSame("key:1", "key:3", all)).toBe(false);
    expect(mayBeSame("user:ada", "user:bob", all)).toBe(false);
  });
});

describe("the people behind a number of subjects", () => {
  const subjects = ["user:a", "user:b", "key:1", "key:2", "key:3", "key:4"];
  // Each key was made by something before it, so that nobody made themselves.
  const anyMakers = fc
    .tuple(...[2, 3, 4, 5].map((index) => fc.tuple(fc.nat(index - 1), fc.boolean())))
    .map(
      (made): Makers =>
        new Map(made.map(([by, admin], at) => [subjects[at + 2]!, { subject: subjects[by]!, admin }])),
    );

  it("are at most as many as there are subjects, and as many who can't be the same", () => {
    fc.assert(
      fc.property(anyMakers, fc.subarray(subjects), (all, some) => {
        const count = countPeople(some, all);
        expect(count).toBeLessThanOrEqual(some.length);
        expect(count > 0).toBe(some.length > 0);
        const apart = some.every((one) =>
          some.every((other) => one === other || !mayBeSame(one, other, all)),
        );
        expect(count === some.length).toBe(apart);
      }),
    );
  });
});
