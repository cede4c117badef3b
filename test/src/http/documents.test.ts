import fc from "fast-check";
import fastify from "fastify";
import { afterAll, describe, expect, it } from "vitest";
import type { App } from "../../../src/http/app-types.ts";
import { acceptDocuments, escapePointer, isStorable } from "../../../src/http/documents.ts";
import { sendProblem } from "../../../src/http/problem.ts";

const app = fastify() as unknown as App;
acceptDocuments(app);
app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
app.post("/", async (request) => ({ body: request.body, none: request.body === undefined }));

afterAll(() => app.close());

async function parsed(payload: string, type = "application/yaml") {
  const answer = await app.inject({ method: "POST", url: "/", headers: { "content-type": type }, payload });
  return { status: answer.statusCode, body: answer.json() };
}

const json = "application/json";
const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;

describe("a document", () => {
  it("is the same value in JSON and in YAML, which JSON is a part of", async () => {
    const storable = fc
      .jsonValue()
      .filter((value) => isStorable(JSON.stringify(value).replaceAll(/\\\\u(0000|d[89a-f])/gi, "\0")));
    await fc.assert(
      fc.asyncProperty(storable, async (value) => {
        // A key that only YAML or only objects know by another meaning is none of a spec's.
        fc.pre(!JSON.stringify(value).includes("__proto__"));
        const text = JSON.stringify(value);
        const [asJson, asYaml] = await Promise.all([parsed(text, json), parsed(text)]);
        expect(asYaml).toEqual(asJson);
      }),
      { numRuns: 50 },
    );
  });

  it("in YAML has words, not truths, for yes and no, and text for dates", async () => {
    const { body } = await parsed("a: yes\nb: off\nc: 2026-01-31\nd: 010\ne: ~\nf: 1_000\n");
    expect(body.body).toEqual({ a: "yes", b: "off", c: "2026-01-31", d: 10, e: null, f: "1_000" });
  });

  it("may use a few aliases, and no merge keys", async () => {
    expect((await parsed("a: &x [1, 2]\nb: *x\n")).body.body).toEqual({ a: [1, 2], b: [1, 2] });
    expect((await parsed("a: &x {y: 1}\nb: {<<: *x}\n")).body.body.b).toEqual({ "<<": { y: 1 } });
  });

  it.each([
    ["a key twice", "a: 1\na: 2\n"],
    ["two documents", "a: 1\n---\nb: 2\n"],
    ["an alias of nothing", "a: *b\n"],
    ["tabs for indentation", "a:\n\tb: 1\n"],
    ["half a structure", "a: [1, 2\n"],
  ])("in YAML with %s is refused", async (_, text) => {
    const { status, body } = await parsed(text);
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: "invalid_request",
      errors: [{ path: "", message: expect.stringMatching(/not valid YAML/) }],
    });
  });

  it("in YAML that contains itself has no end and is refused", async () => {
    expect(await parsed("a: &a [*a, *a]\n")).toMatchObject({
      status: 400,
      body: { code: "invalid_request" },
    });
  });

  it.each(["", "  \n "])("that is %j is none", async (text) => {
    expect((await parsed(text)).body.none).toBe(true);
    expect((await parsed(text, json)).body.none).toBe(true);
  });

  it("may be nested as deep as 64 levels, and no deeper, in both", async () => {
    for (const type of [json, "application/yaml"]) {
      expect((await parsed(nested(64), type)).status).toBe(200);
      expect((await parsed(nested(70), type)).status).toBe(400);
      expect((await parsed(nested(20_000), type)).status).toBe(400);
    }
  });

  it.each([
    ["a value", { a: [{ b: "x\0" }] }, "/a/0/b"],
    ["a key", { a: { "k\0": 1 } }, "/a"],
    ["a value below a key that needs escaping", { "x/y~z": "\0" }, "/x~1y~0z"],
  ])("with a null character in %s is refused with the place", async (_, document, path) => {
    const { status, body } = await parsed(JSON.stringify(document), json);
    expect(status).toBe(400);
    expect(body.errors).toEqual([{ path, message: expect.stringMatching(/can't be stored/) }]);
  });

  it("with half of a surrogate pair is refused, with a whole one it isn't", async () => {
    expect((await parsed('{"a": "\\ud83d"}', json)).status).toBe(400);
    expect((await parsed('{"a": "\\ude00\\ud83d"}', json)).status).toBe(400);
    expect((await parsed('{"a": "\\ud83d\\ude00"}', json)).body.body).toEqual({ a: "😀" });
  });

  const items = (count: number) => `[${Array.from({ length: count }, () => 1).join(",")}]`;
  const keys = (count: number) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 1])));

  it("may hold 50,000 keys and items, and no more", async () => {
    expect((await parsed(items(50_000), json)).status).toBe(200);
    expect((await parsed(items(50_001), json)).body.detail).toMatch(/more than 50000 keys and items/);
    expect((await parsed(keys(50_000), json)).status).toBe(200);
    expect((await parsed(keys(50_001), json)).status).toBe(400);
    expect((await parsed(`[${items(25_000)},${items(25_000)}]`, json)).status).toBe(400);
  });

  it("is counted with what its aliases stand for", async () => {
    expect((await parsed(`a: &a ${items(16_000)}\nb: *a\n`)).status).toBe(200);
    expect((await parsed(`a: &a ${items(16_000)}\nb: *a\nc: *a\nd: *a\n`)).body.detail).toMatch(/more than/);
  });

  it("may have keys of 512 characters, and no longer ones", async () => {
    expect((await parsed(JSON.stringify({ ["k".repeat(512)]: 1 }), json)).status).toBe(200);
    expect((await parsed(JSON.stringify({ a: { ["k".repeat(513)]: 1 } }), json)).body.errors[0].path).toBe(
      "/a",
    );
  });

  it.each(["__proto__", "constructor"])(
    "with %s that reaches a prototype is refused in both",
    async (key) => {
      for (const type of [json, "application/yaml"]) {
        const { status, body } = await parsed(`{"a": {"${key}": {"prototype": {"polluted": true}}}}`, type);
        expect(status).toBe(400);
        expect(body).toMatchObject({ code: "invalid_request", errors: [{ path: `/a/${key}` }] });
      }
      expect({}).not.toHaveProperty("polluted");
    },
  );

  it("may have keys that only look like a prototype", async () => {
    const text = '{"prototype": {"a": 1}, "constructor": "x", "toString": {"constructor": {}}}';
    expect((await parsed(text, json)).body.body).toEqual(JSON.parse(text));
  });

  it.each(["line\nbreak", "\u001b[31mred", "\u0085", "\u2028", "\u2029", "\u007f"])(
    "with the key %j is refused: paths are shown in terminals and logs",
    async (key) => {
      const { status, body } = await parsed(JSON.stringify({ a: { [key]: 1 } }), json);
      expect(status).toBe(400);
      expect(body.errors).toEqual([{ path: "/a", message: expect.stringMatching(/control character/) }]);
    },
  );

  it.each(["1e400", "-1e400"])("in JSON with the number %s, which is none, is refused", async (number) => {
    expect((await parsed(`{"a": ${number}}`, json)).body.errors[0].path).toBe("/a");
  });

  it.each([".inf", "-.inf", ".nan", "1e400", "9007199254740993", "0xffffffffffffffff"])(
    "in YAML with the number %s, which none of ours can be, is refused",
    async (number) => {
      expect((await parsed(`a: ${number}\n`)).status).toBe(400);
    },
  );

  it.each([
    ["binary data", "a: !!binary aGk=\n"],
    ["a set", "a: !!set {x, y}\n"],
    ["an ordered map", "a: !!omap [x: 1]\n"],
    ["a tag of a language", "a: !!js/function x\n"],
    ["a tag of its own", "a: !secret x\n"],
    ["dates of YAML 1.1", "%YAML 1.1\n---\na: 2020-01-01\n"],
    ["a directive that nobody knows", "%FOO bar\n---\na: 1\n"],
    ["a list as key", "? [a, b]\n: c\n"],
    ["an alias as key", "a: &x b\n*x : c\n"],
    ["an empty key twice", 'null: 1\n"": 2\n'],
    ["a key twice, once as a number", '1: a\n"1": b\n'],
  ])("in YAML with %s is refused", async (_, text) => {
    expect(await parsed(text)).toMatchObject({
      status: 400,
      body: { code: "invalid_request", errors: [{ path: "" }] },
    });
  });

  it("in JSON with a key twice is refused", async () => {
    expect((await parsed('{"a": 1, "a": 2}', json)).body.errors).toEqual([
      { path: "", message: expect.stringMatching(/key "a" stands twice/) },
    ]);
  });
});

describe("escapePointer", () => {
  it("can be undone for every key", () => {
    fc.assert(
      fc.property(fc.string(), (key) => {
        expect(escapePointer(key)).not.toContain("/");
        expect(escapePointer(key).replaceAll("~1", "/").replaceAll("~0", "~")).toBe(key);
      }),
    );
  });
});
