import { tmpdir } from "node:os";
import fc from "fast-check";
import { RE2JS } from "re2js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Engine, startEngine } from "../../../handlers/dataset/engine.ts";
import { globOf } from "../../../handlers/dataset/fixed-pattern.ts";
import { quotedText } from "../../../handlers/dataset/typed-columns.ts";

const token = fc
  .tuple(
    fc.constantFrom("A", "b", "7", "-", "_", "%", "\\d", "[A-Z]", "[a-c7]", "[A-Z0-9_]", "[xyz]"),
    fc.constantFrom("", "", "{0}", "{1}", "{2}"),
  )
  .map(([what, times]) => what + times);
const pattern = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join(""));
/** Of what the patterns are about, and of what is special to some matcher. */
const text = fc.string({ unit: fc.constantFrom(..."AZbc7-_%xyd*?[]\\\nü"), maxLength: 6 });

describe("a pattern of fixed length", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ workFolder: tmpdir(), memoryLimitMb: 200, threads: 1 });
  });
  afterAll(() => engine.close());

  it("matches the same texts by GLOB as by RE2", async () => {
    for (const one of fc.sample(pattern, { numRuns: 300, seed: 3 })) {
      const glob = globOf(one) ?? "";
      const fitting = fc.stringMatching(new RegExp(`^${one}$`));
      const texts = [
        ...fc.sample(text, { numRuns: 30, seed: 5 }),
        ...fc.sample(fitting, { numRuns: 10, seed: 9 }),
      ];
      const [row] = await engine.rows(
        `SELECT list(t GLOB ${quotedText(glob)}) AS found FROM (SELECT unnest([${texts.map(quotedText)}]) AS t)`,
      );
      const expression = RE2JS.compile(one);
      expect({ one, found: String(row?.found) }).toEqual({
        one,
        found: `[${texts.map((each) => expression.testExact(each)).join(", ")}]`,
      });
    }
  });

  it.each([
    "[A-Z]+",
    "a*",
    "a?",
    ".",
    "a|b",
    "(ab)",
    "[^a]",
    "[z-a]",
    "[a-]",
    "\\w",
    "(?i)a",
    "^a",
    "a{2,3}",
    "[[:alpha:]]",
    "ü",
    "a{100}",
    "",
  ])("is not %s, which RE2 matches", (other) => {
    expect(globOf(other)).toBeUndefined();
  });
});
