import { Value } from "typebox/value";
import { describe, expect, it } from "vitest";
import { PipelineSpec, parseSpec } from "../../programs/spec.ts";
import { aSpec, MINIMAL_SPEC } from "./support/inputs.ts";

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly additionalProperties?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

function* fields(schema: JsonSchema, path: string): Iterable<readonly [path: string, schema: JsonSchema]> {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    yield [`${path}/${name}`, field];
    yield* fields(field, `${path}/${name}`);
    for (const item of field.items === undefined ? [] : [field.items, ...(field.items.anyOf ?? [])])
      yield* fields(item, `${path}/${name}/*`);
  }
}

describe("a pipeline spec", () => {
  it("gets every omitted section with all of its defaults", () => {
    expect(parseSpec(MINIMAL_SPEC)).toEqual({
      ...MINIMAL_SPEC,
      profile: "learning",
      frameworks: [],
      dataset: {
        format: "csv",
        schema: [{ name: "species", type: "string", nullable: false }],
        quality: { maxNullFraction: 0.01, maxDuplicateFraction: 0, driftThreshold: 0.1, driftMethod: "psi" },
        retention: { archiveAfterDays: 90, expireAfterDays: 365 },
        catalog: { schedule: "cron(0 2 ? * SUN *)" },
      },
      training: {
        instanceType: "ml.m5.large",
        instanceCount: 1,
        spot: { enabled: true, maxRunSeconds: 1800, maxWaitSeconds: 3600 },
        hyperparameters: {},
        qualityGate: { metric: "accuracy", threshold: 0.9, direction: "atLeast" },
        retrainOn: [],
        retrainCooldownHours: 24,
      },
      serving: {
        mode: "serverless",
        instanceType: "ml.m5.large",
        memoryMb: 2048,
        maxConcurrency: 5,
        autoscaling: { minCapacity: 2, maxCapacity: 4, targetInvocationsPerMinute: 600, schedules: [] },
        throttle: { ratePerSecond: 10, burst: 20, dailyQuota: 100_000 },
        auth: "iam",
        rollout: { canaryPercent: 10, stepPercent: 20, bakeMinutes: 10 },
      },
      monitoring: {
        logRetentionDays: 30,
        engine: "builtin",
        schedule: "cron(0 0 * * ? *)",
        capture: { samplePercent: 100, retentionDays: 90 },
        segments: [],
        businessMetrics: [],
        alarms: {
          failedExecutions: 1,
          executionMinutes: 180,
          quarantinedFraction: 0.05,
          predictionBandWidth: 3,
          waitingMinutes: 120,
          qualityLoss: 0.05,
          biasGap: 0.1,
          apiErrorFraction: 0.05,
          apiLatencyMs: 5000,
          suspiciousRequests: 50,
        },
      },
      alerts: { emails: [], webhooks: [] },
      network: { dedicated: false },
      budget: { monthlyUsd: 25 },
      approvals: { from: ["approver"], expiresAfterHours: 72 },
      reconcile: { mode: "detect", schedule: "rate(1 day)" },
      tags: {},
    });
  });

  it("fills up a section that is given in part", () => {
    expect(aSpec({ dataset: { quality: { driftMethod: "ks" } } }).dataset.quality).toEqual({
      maxNullFraction: 0.01,
      maxDuplicateFraction: 0,
      driftThreshold: 0.1,
      driftMethod: "ks",
    });
  });

  it("leaves what it was given untouched", () => {
    const given = structuredClone(MINIMAL_SPEC);
    parseSpec(given);
    expect(given).toEqual(MINIMAL_SPEC);
  });

  it.each([
    ["", { endpoint: "x" }],
    ["/dataset", { dataset: { ...MINIMAL_SPEC.dataset, bucket: "raw" } }],
    ["/training/spot", { training: { ...MINIMAL_SPEC.training, spot: { price: 1 } } }],
    ["/alerts", { alerts: { sms: ["+1"] } }],
  ])("is refused with an unknown field in %s", (path, change) => {
    const filled = Value.Default(PipelineSpec, { ...MINIMAL_SPEC, ...change });
    expect(Value.Errors(PipelineSpec, filled)).toContainEqual(
      expect.objectContaining({ keyword: "additionalProperties", instancePath: path }),
    );
  });

  it.each([
    ["apiVersion", "aidlc/v2"],
    ["profile", "staging"],
    ["frameworks", ["iso27001"]],
    ["account", "Main"],
    ["owner", "not an address"],
    ["dataClassification", "secret"],
  ])("is refused with %s: %s", (field, value) => {
    expect(() => parseSpec({ ...MINIMAL_SPEC, [field]: value })).toThrow();
  });

  it("is refused with an alert address that is none", () => {
    expect(() => parseSpec({ ...MINIMAL_SPEC, alerts: { emails: ["somebody"] } })).toThrow();
  });

  it("describes every field and closes every object", () => {
    const all = [...fields(PipelineSpec as unknown as JsonSchema, "")];
    expect(all.length).toBeGreaterThan(50);
    expect(all.filter(([, { description }]) => description === undefined)).toEqual([]);
    const open = all.filter(
      ([, { properties, additionalProperties }]) => properties && additionalProperties !== false,
    );
    expect(open).toEqual([]);
  });
});
