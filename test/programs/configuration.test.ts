import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { configurationParameters } from "../../programs/configuration.ts";
import { aSpec } from "./support/inputs.ts";

const named = (parameters: readonly { readonly name: string; readonly value: string }[], name: string) =>
  parameters.filter((parameter) => parameter.name === name || parameter.name.startsWith(`${name}/`));

describe("configuration", () => {
  it("stands in one parameter per document where it fits", () => {
    const spec = aSpec({ training: { schedule: "rate(1 day)" } });
    const parameters = configurationParameters(spec);
    expect(Object.fromEntries(parameters.map(({ name, value }) => [name, JSON.parse(value)]))).toEqual({
      "dataset/schema": { format: "csv", columns: [{ name: "species", type: "string", nullable: false }] },
      "dataset/quality": {
        maxNullFraction: 0.01,
        maxDuplicateFraction: 0,
        driftThreshold: 0.1,
        driftMethod: "psi",
      },
      "training/hyperparameters": {},
      "training/quality-gate": { metric: "accuracy", threshold: 0.9, direction: "atLeast" },
      "training/schedule": { expression: "rate(1 day)" },
      "release/rollout": {
        mode: "serverless",
        instanceType: "ml.m5.large",
        memoryMb: 2048,
        maxConcurrency: 5,
        instances: 2,
        canaryPercent: 10,
        stepPercent: 20,
        bakeMinutes: 10,
        tags: {
          "aidlc:classification": "internal",
          "aidlc:owner": "ada@example.com",
          "aidlc:profile": "learning",
        },
      },
      "monitoring/thresholds": spec.monitoring.alarms,
      "monitoring/monitors": { capture: spec.monitoring.capture, segments: [] },
    });
  });

  it("is split where it does not fit into 4 KB, and joins to what it was", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 200, unit: "grapheme" }), {
          minLength: 40,
          maxLength: 60,
        }),
        (texts) => {
          const schema = texts.map((name) => ({ name, type: "string" as const, nullable: false }));
          const parts = named(
            configurationParameters({ ...aSpec(), dataset: { ...aSpec().dataset, schema } }),
            "dataset/schema",
          );
          for (const { value } of parts) expect(Buffer.byteLength(value)).toBeLessThanOrEqual(4096);
          expect(JSON.parse(parts.map(({ value }) => value).join(""))).toEqual({
            format: "csv",
            columns: schema,
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  it("numbers its parts in order", () => {
    const schema = Array.from({ length: 300 }, (_, index) => ({
      name: `column_${index}`,
      type: "number" as const,
      nullable: false,
    }));
    const parts = named(configurationParameters(aSpec({ dataset: { schema } })), "dataset/schema");
    expect(parts.length).toBeGreaterThan(2);
    expect(parts.map(({ name }) => name)).toEqual(parts.map((_, index) => `dataset/schema/${index + 1}`));
  });
});
