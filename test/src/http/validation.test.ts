import fc from "fast-check";
import Type from "typebox";
import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { invalid, parser, validatorCompiler } from "../../../src/http/validation.ts";

const Order = Type.Object(
  {
    id: Type.String({ pattern: "^[a-z]+$" }),
    size: Type.Enum(["small", "large"], { default: "small" }),
    lines: Type.Array(
      Type.Object(
        { price: Type.Number({ minimum: 0 }), note: Type.Optional(Type.String({ maxLength: 5 })) },
        { additionalProperties: false },
      ),
      { minItems: 1, default: [{ price: 1 }] },
    ),
    labels: Type.Record(Type.String(), Type.String(), { default: {} }),
    limits: Type.Object(
      { daily: Type.Integer({ default: 3 }) },
      { additionalProperties: false, default: {} },
    ),
  },
  { additionalProperties: false },
);

function failure(parse: () => unknown): AppError {
  try {
    parse();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("Nothing was thrown");
}

const parse = parser(Order);
const errorsOf = (value: unknown) => failure(() => parse(value)).details.errors;
const pathsOf = (value: unknown) => errorsOf(value)?.map((error) => error.path);

describe("parser", () => {
  it("fills defaults, also those inside a section that was left out", () => {
    expect(parse({ id: "a" })).toEqual({
      id: "a",
      size: "small",
      lines: [{ price: 1 }],
      labels: {},
      limits: { daily: 3 },
    });
  });

  it("leaves the value it was given untouched", () => {
    const given = { id: "a", limits: {} };
    parse(given);
    expect(given).toEqual({ id: "a", limits: {} });
  });

  it("keeps a given value and never puts the default over it", () => {
    expect(parse({ id: "a", size: "large", limits: { daily: 9 } })).toMatchObject({
      size: "large",
      limits: { daily: 9 },
    });
  });

  it("names a field that is missing by its own path, not by its parent's", () => {
    expect(errorsOf({ lines: [{}] })).toEqual([
      { path: "/id", message: "is required" },
      { path: "/lines/0/price", message: "is required" },
    ]);
  });

  it("names an unknown field by its own path at any depth", () => {
    expect(errorsOf({ id: "a", colour: 1, lines: [{ price: 1 }, { price: 2, prize: 3 }] })).toEqual([
      { path: "/colour", message: "is not a known field: remove it or correct its name" },
      { path: "/lines/1/prize", message: "is not a known field: remove it or correct its name" },
    ]);
  });

  it("lists the values of an enumeration together with the one that was given", () => {
    expect(errorsOf({ id: "a", size: "huge" })).toEqual([
      { path: "/size", message: 'must be one of "small", "large", not "huge"' },
    ]);
  });

  it("shows the value that breaks a limit", () => {
    expect(errorsOf({ id: "A1", lines: [{ price: -4, note: "too long" }] })).toEqual([
      { path: "/id", message: 'must match pattern "^[a-z]+$", not "A1"' },
      { path: "/lines/0/price", message: "must be >= 0, not -4" },
      { path: "/lines/0/note", message: 'must not have more than 5 characters, not "too long"' },
    ]);
  });

  it("cuts a long value short instead of repeating it", () => {
    const [error] = errorsOf({ id: `A${"x".repeat(10_000)}` }) ?? [];
    expect(error?.message.length).toBeLessThan(200);
  });

  it.each([
    ["text", ["AKIA", "ABCDEFGHIJKLMNOP"].join(""), "what looks like an AWS access key id"],
    ["a list", [["AKIA", "ABCDEFGHIJKLMNOP"].join("")], "a list"],
    ["an object", { x: "hunter2" }, "an object"],
  ])("doesn't show %s that may be a secret", (_, id, shown) => {
    expect(errorsOf({ id })).toEqual([
      { path: "/id", message: expect.stringMatching(new RegExp(`, not ${shown}$`)) },
    ]);
  });

  it("tells a hundred mistakes at most, unknown fields too", () => {
    const unknown = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x${index}`, 1]));
    expect(errorsOf({ id: "a", ...unknown })).toHaveLength(100);
    const problems = Object.keys(unknown).map((path) => ({ path, message: "is wrong" }));
    const error = invalid("invalid_spec", problems);
    expect(error.details.errors).toHaveLength(100);
    expect(error.message).toMatch(/\(and 499 more\)$/);
  });

  it("reports each place once, however many rules it breaks", () => {
    const paths = pathsOf({ id: 5, size: 7, lines: "x", labels: { a: 1 }, limits: null }) ?? [];
    expect(new Set(paths).size).toBe(paths.length);
    expect([...paths].sort()).toEqual(["/id", "/labels/a", "/limits", "/lines", "/size"]);
  });

  it.each([null, undefined, "text", 5, true, []])(
    "answers %j in place of an object with the root path",
    (value) => {
      expect(pathsOf(value)).toEqual([""]);
    },
  );

  it("doesn't take a value from the prototype for a field", () => {
    const inherited = Object.create({ id: "a" });
    expect(pathsOf(inherited)).toEqual(["/id"]);
    expect(pathsOf(JSON.parse('{"id":"a","__proto__":{"size":"large"}}'))).toEqual(["/__proto__"]);
  });

  it("names every variant of a union", () => {
    const Bound = Type.Object({ min: Type.Union([Type.Number(), Type.String()]) });
    expect(failure(() => parser(Bound)({ min: true })).details.errors).toEqual([
      { path: "/min", message: "must be number or string, not true" },
    ]);
  });

  it("carries the code it was made with", () => {
    expect(failure(() => parser(Order, "invalid_spec")({})).code).toBe("invalid_spec");
    expect(failure(() => parse({})).code).toBe("invalid_request");
  });

  it("points with RFC 6901 into any key, so that the pointer leads back to the value", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (key) => {
        const document = { id: "a", labels: { [key]: 5 } };
        const [error] = errorsOf(document) ?? [];
        const keys = (error?.path ?? "").split("/").slice(1);
        const found = keys
          .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
          .reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], document);
        expect(found).toBe(5);
      }),
    );
  });
});

describe("the message of an invalid document", () => {
  it("names the first place and counts the others", () => {
    const errors = [
      { path: "/a", message: "is required" },
      { path: "/b", message: "is required" },
      { path: "/c", message: "is required" },
    ];
    expect(invalid("invalid_spec", errors).message).toBe(
      "The spec is not valid: /a is required (and 2 more)",
    );
    expect(invalid("invalid_request", errors.slice(0, 1)).message).toBe(
      "The request is not valid: /a is required",
    );
  });

  it("calls the root of the document /", () => {
    expect(invalid("invalid_request", [{ path: "", message: "must be object" }]).message).toContain(
      ": / must",
    );
  });
});

describe("the validator of routes", () => {
  const Query = Type.Object(
    { limit: Type.Integer({ minimum: 1, default: 50 }) },
    { additionalProperties: false },
  );
  const compile = (httpPart: string) =>
    validatorCompiler({ schema: Query, method: "GET", url: "/", httpPart } as never) as unknown as (
      value: unknown,
    ) => { value?: unknown; error?: AppError };

  it("converts the text of a query and fills its defaults", () => {
    expect(compile("querystring")({ limit: "7" })).toEqual({ value: { limit: 7 } });
    expect(compile("querystring")({})).toEqual({ value: { limit: 50 } });
  });

  it("converts only what is written as a whole number", () => {
    for (const limit of ["1.5", "1e2", " 7", "0x10", "true", "", "99999999999999999999"]) {
      expect(compile("querystring")({ limit }).error?.details.errors?.[0]?.path, limit).toBe("query:/limit");
    }
  });

  it("converts true and false, and nothing else, where the schema asks for either", () => {
    const Flag = Type.Object({ deep: Type.Boolean({ default: false }) }, { additionalProperties: false });
    const check = validatorCompiler({
      schema: Flag,
      method: "GET",
      url: "/",
      httpPart: "querystring",
    } as never) as unknown as (value: unknown) => { value?: unknown; error?: AppError };
    expect(check({ deep: "true" })).toEqual({ value: { deep: true } });
    expect(check({ deep: "false" })).toEqual({ value: { deep: false } });
    expect(check({})).toEqual({ value: { deep: false } });
    for (const deep of ["yes", "1", "TRUE", ""]) expect(check({ deep }).error).toBeInstanceOf(AppError);
  });

  it("leaves text alone that looks like a number or a truth", () => {
    const Text = Type.Object({ name: Type.String() });
    const check = validatorCompiler({
      schema: Text,
      method: "GET",
      url: "/",
      httpPart: "params",
    } as never) as unknown as (value: unknown) => unknown;
    for (const name of ["7", "true", "null"]) expect(check({ name })).toEqual({ value: { name } });
  });

  it("takes a body as it is: text is no number there", () => {
    expect(compile("body")({ limit: "7" }).error?.details.errors?.[0]?.path).toBe("/limit");
  });

  it.each([
    ["querystring", "query:/limit"],
    ["params", "params:/limit"],
    ["headers", "headers:/limit"],
    ["body", "/limit"],
  ])("tells a mistake in the %s by the path %s", (part, path) => {
    expect(compile(part)({ limit: "none" }).error?.details.errors?.[0]?.path).toBe(path);
  });
});
