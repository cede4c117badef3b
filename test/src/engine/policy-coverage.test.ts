import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allowsMore, denies } from "../../../src/engine/policy-coverage.ts";

const read = { Effect: "Allow", Action: ["s3:GetObject"], Resource: ["arn:aws:s3:::data/*"] };
const document = (...statements: object[]) => ({ Version: "2012-10-17", Statement: statements });
const more = (before: object, after: object) => allowsMore(document(before), document(after));

describe("a policy document allows more than before", () => {
  it.each([
    ["with a further action", { ...read, Action: ["s3:GetObject", "s3:PutObject"] }],
    ["with a wildcard in its action", { ...read, Action: "s3:Get*" }],
    ["with a further resource", { ...read, Resource: ["arn:aws:s3:::data/*", "arn:aws:s3:::other/*"] }],
    ["with a wildcard in its resource", { ...read, Resource: "*" }],
    ["with what it is not about", { Effect: "Allow", NotAction: "iam:*", Resource: "arn:aws:s3:::data/*" }],
  ])("%s", (_, after) => {
    expect(more(read, after)).toBe(true);
  });

  it("with a further principal, and with everybody", () => {
    const trust = {
      Effect: "Allow",
      Action: "sts:AssumeRole",
      Principal: { Service: "lambda.amazonaws.com" },
    };
    expect(more(trust, { ...trust, Principal: { ...trust.Principal, AWS: "arn:aws:iam::1:root" } })).toBe(
      true,
    );
    expect(more(trust, { ...trust, Principal: "*" })).toBe(true);
    expect(more({ ...trust, Principal: "*" }, trust)).toBe(false);
    expect(more({ ...trust, Principal: { AWS: "*" } }, trust)).toBe(true);
  });

  it("without a condition, with another value of one, or with one value less of a negated one", () => {
    const bound = (condition: object) => ({ ...read, Condition: condition });
    const account = bound({ StringEquals: { "aws:ResourceAccount": "1" } });
    expect(more(account, read)).toBe(true);
    expect(more(read, account)).toBe(false);
    expect(more(account, bound({ StringEquals: { "aws:ResourceAccount": ["1", "2"] } }))).toBe(true);
    expect(more(account, bound({ StringLike: { "aws:ResourceAccount": "1" } }))).toBe(true);
    const others = (...values: string[]) => bound({ StringNotEquals: { "aws:SourceVpc": values } });
    expect(more(others("a", "b"), others("a"))).toBe(true);
    expect(more(others("a"), others("a", "b"))).toBe(false);
  });

  it("without a denial, or with a narrower one", () => {
    const deny = { ...read, Effect: "Deny", Action: "s3:*" };
    expect(allowsMore(document(read, deny), document(read))).toBe(true);
    expect(more(deny, { ...deny, Action: "s3:Get*" })).toBe(true);
    expect(more(deny, { ...deny, Condition: { Bool: { "aws:SecureTransport": "false" } } })).toBe(true);
    expect(more({ ...deny, Action: "s3:Get*" }, deny)).toBe(false);
  });

  it("where there was none and it allows anything, or where nobody can tell what it says", () => {
    expect(allowsMore(undefined, document(read))).toBe(true);
    expect(allowsMore(undefined, document({ ...read, Effect: "Deny" }))).toBe(false);
    expect(allowsMore(document(read), "04da6b54-80e4-46f7-96ec-b56ff0331ba9")).toBe(true);
    expect(allowsMore(document(read), "[secret]")).toBe(true);
    expect(allowsMore("[secret]", "[secret]")).toBe(false);
  });
});

describe("a policy document allows no more than before", () => {
  it("when it says the same in another order, under other names, or as JSON", () => {
    const two = { ...read, Action: ["s3:GetObject", "s3:ListBucket"], Sid: "One" };
    const turned = { ...two, Action: [...two.Action].reverse(), Sid: "Other" };
    expect(allowsMore(document(two, read), JSON.stringify(document(read, turned)))).toBe(false);
  });

  it("when one statement says what two said together, or two what one did", () => {
    const list = { ...read, Action: "s3:ListBucket" };
    const both = { ...read, Action: ["s3:GetObject", "s3:ListBucket"] };
    expect(allowsMore(document(read, list), document(both))).toBe(false);
    expect(allowsMore(document(both), document(read, list))).toBe(false);
  });

  it("when a pattern of before matches it: names of actions in any case", () => {
    expect(more({ ...read, Action: "S3:get*" }, read)).toBe(false);
    expect(more({ ...read, Action: "s3:GetObjec?" }, read)).toBe(false);
    expect(more({ ...read, Action: "s3:Get?" }, { ...read, Action: "s3:Get*" })).toBe(true);
  });
});

describe("denials", () => {
  it("are found, and suspected in what can't be read", () => {
    expect(denies(document(read))).toBe(false);
    expect(denies(document(read, { ...read, Effect: "Deny" }))).toBe(true);
    expect(denies("{")).toBe(true);
    expect(denies(undefined)).toBe(false);
  });
});

// A small world in which whatever a document allows can be counted.
const world = {
  Action: ["s3:Get", "s3:Put", "kms:Use"],
  Resource: ["r/1", "r/2", "q/1"],
  Principal: ["AWS:a", "AWS:b", "Service:c"],
  vpc: ["x", "y"],
};
const actions = fc.subarray(["s3:Get", "s3:Put", "kms:Use", "s3:*", "s3:?et", "*"], { minLength: 1 });
const resources = fc.subarray(["r/1", "r/2", "q/1", "r/*", "?/1", "*"], { minLength: 1 });
const principals = fc.constantFrom<object | string>(
  "*",
  { AWS: ["a"] },
  { AWS: ["a", "b"] },
  { AWS: "*" },
  { Service: "c" },
  { AWS: "b", Service: ["c"] },
);
const conditions = fc.constantFrom(
  undefined,
  { StringEquals: { vpc: ["x"] } },
  { StringEquals: { vpc: ["x", "y"] } },
  { StringNotEquals: { vpc: ["x"] } },
  { StringNotEquals: { vpc: ["x", "y"] } },
);
const statement = fc.record({
  Effect: fc.constantFrom("Allow", "Deny"),
  Principal: principals,
  Action: actions,
  Resource: resources,
  Condition: conditions,
});
type World = { readonly [Key in "Effect" | "Principal" | "Action" | "Resource" | "Condition"]: unknown };

const matches = (pattern: string, value: string) =>
  new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`).test(value);

/** What AWS would answer to every request there is, written the plain way. */
function allowed(statements: readonly World[]): Set<string> {
  const found = new Set<string>();
  for (const action of world.Action)
    for (const resource of world.Resource)
      for (const principal of world.Principal)
        for (const vpc of world.vpc) {
          const said = statements.filter(({ Principal, Action, Resource, Condition }) => {
            const [kind, name] = principal.split(":") as [string, string];
            const named = (Principal as Record<string, unknown>)[kind];
            return (
              (Action as string[]).some((one) => matches(one, action)) &&
              (Resource as string[]).some((one) => matches(one, resource)) &&
              (Principal === "*" || [named].flat().some((one) => one === name || one === "*")) &&
              Object.entries(Condition ?? {}).every(
                ([operator, { vpc: values }]) => values.includes(vpc) === (operator === "StringEquals"),
              )
            );
          });
          const effects = said.map(({ Effect }) => Effect);
          if (effects.includes("Allow") && !effects.includes("Deny"))
            found.add(`${action} ${resource} ${principal} ${vpc}`);
        }
  return found;
}

describe("of any two documents", () => {
  const documents = fc.array(statement, { maxLength: 4 });

  it("the second one allows no request that the first didn't, unless it is told to allow more", () => {
    fc.assert(
      fc.property(documents, documents, (before, after) => {
        fc.pre(!allowsMore(document(...before), document(...after)));
        const was = allowed(before);
        for (const request of allowed(after)) expect(was).toContain(request);
      }),
      { numRuns: 2_000 },
    );
  });

  it("one that only lost permissions and gained denials is never told to allow more", () => {
    const deny = statement.map((one) => ({ ...one, Effect: "Deny" }));
    fc.assert(
      fc.property(documents, fc.array(deny, { maxLength: 2 }), fc.nat(), (before, denials, seed) => {
        const kept = before.filter(({ Effect }, index) => Effect === "Deny" || (seed >> index) % 2 === 0);
        expect(allowsMore(document(...before), document(...denials, ...kept))).toBe(false);
      }),
    );
  });
});
