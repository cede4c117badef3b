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
