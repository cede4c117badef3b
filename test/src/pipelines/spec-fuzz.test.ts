import fc from "fast-check";
import fastify from "fastify";
import { Value } from "typebox/value";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { PipelineSpec } from "../../../programs/spec.ts";
import { exampleSpecs } from "../../../scripts/programs/example-specs.ts";
import { fullSpec } from "../../../scripts/programs/full-spec.ts";
import { AppError, type FieldError } from "../../../src/errors.ts";
import type { App } from "../../../src/http/app-types.ts";
import { acceptDocuments } from "../../../src/http/documents.ts";
import { sendProblem } from "../../../src/http/problem.ts";
import { mergePatch, parseSpec } from "../../../src/pipelines/spec.ts";
import { validSpec } from "../../support/builders.ts";
import { mangled, mutated } from "../../support/mutated-documents.ts";

// A few seconds in CI; `AIDLC_FUZZ_RUNS=100000` by hand.
const numRuns = Number(process.env.AIDLC_FUZZ_RUNS ?? 400);
const timeoutMs = 30_000 + numRuns * 100;
// Far above what any document takes, far below what a pattern that tries all ways takes.
const patienceMs = 5_000;

const examples = exampleSpecs();
const documents: readonly unknown[] = [
  ...examples.map(({ text }) => parse(text)),
  fullSpec("production"),
  validSpec(),
];
const texts = [
  ...examples.map(({ text }) => text),
  ...documents.map((document) => JSON.stringify(document)),
  ...documents.map((document) => stringify(document, { collectionStyle: "flow" })),
];

const prototypes = [Object.prototype, Array.prototype, String.prototype, Function.prototype];
const births = prototypes.map((prototype) => Object.getOwnPropertyNames(prototype));
const asJson = (value: unknown) => JSON.parse(JSON.stringify(value));

/** The spec, or the places that were refused; throws for whatever is neither, and for what takes too long. */
function outcome(value: unknown): { spec: unknown } | { errors: readonly FieldError[] } {
  const startMs = performance.now();
  try {
    return { spec: parseSpec(value) };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "invalid_spec") throw error;
    return { errors: error.details.errors ?? [] };
  } finally {
    expect(performance.now() - startMs).toBeLessThan(patienceMs);
  }
}

/** Whether a pointer leads to a value of the document, or to a key that could be in it and isn't. */
function leadsSomewhere(document: unknown, pointer: string): boolean {
  const [root, ...keys] = pointer.split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (root !== "") return false;
  let value = document;
  for (const [index, key] of keys.entries()) {
    if (typeof value !== "object" || value === null) return false;
    if (!Object.hasOwn(value, key)) return index === keys.length - 1;
    value = (value as Record<string, unknown>)[key];
  }
  return true;
}

function expectSpecOrPlaces(value: unknown): void {
  const before = structuredClone(value);
  const result = outcome(value);
  expect(value).toEqual(before);
  if ("spec" in result) {
    // JSON knows no negative zero.
    const spec = asJson(result.spec);
    expect(outcome(spec)).toEqual({ spec });
    expect(outcome(parse(stringify(spec)))).toEqual({ spec });
    return;
  }
  expect(result.errors.length).toBeGreaterThan(0);
  const complete = Value.Default(PipelineSpec, structuredClone(value));
  for (const { path, message } of result.errors) {
    expect(leadsSomewhere(complete, path), `${path} ${message}`).toBe(true);
    expect(message).not.toBe("");
  }
}

const app = fastify() as unknown as App;
acceptDocuments(app);
app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
app.post("/", async (request) => parseSpec(request.body));

afterAll(() => app.close());
afterEach(() => {
  expect(prototypes.map((prototype) => Object.getOwnPropertyNames(prototype))).toEqual(births);
});

describe("the parser of specs", { timeout: timeoutMs }, () => {
  it("takes every document that is bent here as it is", () => {
    for (const document of documents) {
      expect(outcome(document)).toHaveProperty("spec");
      expectSpecOrPlaces(document);
    }
  });

  it("makes of any value a spec that comes back from JSON and YAML, or names places that are in it or missing", () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.anything({ withNullPrototype: false })), expectSpecOrPlaces),
      { numRuns },
    );
  });

  it("does so for what is nearly a spec", () => {
    fc.assert(fc.property(mutated(documents), expectSpecOrPlaces), { numRuns: numRuns * 4 });
  });

  it("does so for what a merge patch makes of a spec", () => {
    fc.assert(
      fc.property(fc.constantFrom(...documents), mutated(documents), (document, patch) =>
        expectSpecOrPlaces(mergePatch(document, patch)),
      ),
      { numRuns },
    );
  });

  it.each(["application/yaml", "application/json"])(
    "answers any text sent as %s with a spec or a problem, and in time",
    async (type) => {
      await fc.assert(
        fc.asyncProperty(
          fc.oneof({ weight: 4, arbitrary: mangled(texts) }, fc.string({ unit: "binary" })),
          async (payload) => {
            const startMs = performance.now();
            const answer = await app.inject({
              method: "POST",
              url: "/",
              headers: { "content-type": type },
              payload,
            });
            expect(performance.now() - startMs).toBeLessThan(patienceMs);
            const { code, errors } = answer.json();
            if (answer.statusCode === 200) expectSpecOrPlaces(answer.json());
            else {
              expect(answer.statusCode, answer.body).toBe(400);
              expect(["invalid_spec", "invalid_request"]).toContain(code);
              expect(errors.length).toBeGreaterThan(0);
            }
          },
        ),
        { numRuns },
      );
    },
  );
});
