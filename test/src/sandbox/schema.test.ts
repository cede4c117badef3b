import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Schema } from "../../../src/sandbox/schema.ts";

const schema = new Schema();
const types = schema.tokens().map((token) => {
  const type = schema.resource(token);
  if (!type) throw new Error(`${token} has no facts`);
  return type;
});

describe("the sandbox's schema", () => {
  test.each(["__proto__", "constructor", "toString"])("has no type of the name %s", (token) => {
    expect(schema.resource(token)).toBeUndefined();
    expect(schema.invoke(token)).toBeUndefined();
  });

  test("knows every type that it lists, with facts and declarations", () => {
    expect(types.length).toBeGreaterThan(150);
  });

  test("is of the installed @pulumi/aws", () => {
    const installed = JSON.parse(
      readFileSync(new URL("../../../node_modules/@pulumi/aws/package.json", import.meta.url), "utf8"),
    );
    const generated = JSON.parse(
      readFileSync(new URL("../../../src/sandbox/schema/aws.json", import.meta.url), "utf8"),
    );
    expect(generated.package).toBe(`@pulumi/aws ${installed.version}`);
  });

  test.each(types.map((type) => [type.token, type] as const))(
    "the facts of %s name real properties",
    (_, type) => {
      const { facts } = type;
      const named = [
        ...(facts.replaceOnChange ?? []),
        ...Object.keys(facts.enums ?? {}),
        ...Object.keys(facts.patterns ?? {}),
        ...Object.keys(facts.ranges ?? {}),
        ...Object.keys(facts.references ?? {}),
        ...Object.keys(facts.defaults ?? {}),
        ...(facts.unverified ?? []),
        ...[...(facts.exactlyOneOf ?? []), ...(facts.atLeastOneOf ?? []), ...(facts.conflicts ?? [])].flat(),
        ...(facts.autoName ? [facts.autoName.input] : []),
      ];
      expect(named.filter((path) => !type.inputs.has(path.split(".")[0] ?? ""))).toEqual([]);
      const targets = Object.values(facts.references ?? {}).flatMap((text) => text.split("|"));
      expect(targets.filter((target) => !schema.resource(target.trim()))).toEqual([]);
    },
  );
});
