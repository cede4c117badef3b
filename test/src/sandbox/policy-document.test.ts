import { describe, expect, test } from "vitest";
import { policyDocument } from "../../../src/sandbox/policy-document.ts";
import type { PropertyMap } from "../../../src/sandbox/values.ts";

const documentOf = (args: PropertyMap) => JSON.parse(String(policyDocument(args).json));

describe("getPolicyDocument", () => {
  test("writes lists of one as plain strings and allows by default", () => {
    const statement = {
      actions: ["s3:GetObject"],
      resources: ["*"],
      principals: [{ type: "Service", identifiers: ["x"] }],
    };
    expect(documentOf({ statements: [statement] })).toEqual({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*", Principal: { Service: "x" } }],
    });
  });

  test("principals of every kind are a star", () => {
    const statement = { actions: ["a:b"], principals: [{ type: "*", identifiers: ["*"] }] };
    expect(documentOf({ statements: [statement] }).Statement[0].Principal).toBe("*");
  });

  test("conditions are grouped by their test", () => {
    const conditions = [
      { test: "StringEquals", variable: "a", values: ["1"] },
      { test: "StringEquals", variable: "b", values: ["2", "3"] },
    ];
    expect(documentOf({ statements: [{ actions: ["a:b"], conditions }] }).Statement[0].Condition).toEqual({
      StringEquals: { a: "1", b: ["3", "2"] },
    });
  });

  test("overrides replace by Sid, and a Sid given twice is refused", () => {
    const one = { sid: "one", actions: ["a:b"], resources: ["*"] };
    const override = JSON.stringify({
      Statement: [{ Sid: "one", Effect: "Deny", Action: "*", Resource: "*" }],
    });
    const { Statement } = documentOf({ statements: [one], overridePolicyDocuments: [override] });
    expect(Statement).toEqual([{ Sid: "one", Effect: "Deny", Action: "*", Resource: "*" }]);
    expect(() => policyDocument({ statements: [one, one] })).toThrow('duplicate Sid "one"');
  });
});
