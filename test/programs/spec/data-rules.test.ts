import { describe, expect, it } from "vitest";
import { specProblems } from "../../../programs/spec.ts";
import { aSpec } from "../support/inputs.ts";

type Change = Parameters<typeof aSpec>[0];

const COLUMNS = [
  { name: "id", type: "string", nullable: false },
  { name: "at", type: "timestamp", nullable: false },
  { name: "amount", type: "number", nullable: true },
  { name: "country", type: "string", nullable: false },
] as const;

const pathsOf = (change: Change) => specProblems(aSpec(change)).map(({ path }) => path);

const store = (featureStore: { recordIdentifier: string; eventTime: string }, more: readonly object[] = []) =>
  ({
    dataset: { schema: [...COLUMNS, ...more], featureStore: { online: false, ...featureStore } },
  }) as Change;

describe("a feature store", () => {
  it("keys records by a text or whole number and dates them by a moment", () => {
    expect(pathsOf(store({ recordIdentifier: "id", eventTime: "at" }))).toEqual([]);
  });

  it.each([
    ["recordIdentifier", { recordIdentifier: "nobody", eventTime: "at" }],
    ["recordIdentifier", { recordIdentifier: "at", eventTime: "at" }],
    ["eventTime", { recordIdentifier: "id", eventTime: "country" }],
    ["eventTime", { recordIdentifier: "id", eventTime: "amount" }],
  ])("refuses a wrong %s: %o", (key, featureStore) => {
    expect(pathsOf(store(featureStore))).toEqual([`/dataset/featureStore/${key}`]);
  });

  it.each(["write_time", "IS_DELETED", "two words", "x".repeat(65), "ends-"])(
    "refuses the column %s, which Feature Store could not hold",
    (name) => {
      const more = [{ name, type: "number", nullable: false }];
      expect(pathsOf(store({ recordIdentifier: "id", eventTime: "at" }, more))).toEqual([
        "/dataset/schema/4/name",
      ]);
      expect(pathsOf({ dataset: { schema: [...COLUMNS, ...more] } } as Change)).toEqual([]);
    },
  );
});

describe("the catalog", () => {
  it.each(["rate(1 day)", "cron(0 25 * * ? *)", "daily"])("refuses the schedule %s", (schedule) => {
    expect(pathsOf({ dataset: { catalog: { schedule } } })).toEqual(["/dataset/catalog/schedule"]);
  });
});

describe("monitoring", () => {
  it("refuses a schedule that EventBridge Scheduler would", () => {
    expect(pathsOf({ monitoring: { schedule: "cron(0 0 * * * *)" } })).toEqual(["/monitoring/schedule"]);
  });

  it("checks bias by columns only", () => {
    const dataset = { schema: [...COLUMNS] };
    expect(pathsOf({ dataset, monitoring: { segments: ["country"] } } as Change)).toEqual([]);
    expect(pathsOf({ dataset, monitoring: { segments: ["country", "planet"] } } as Change)).toEqual([
      "/monitoring/segments/1",
    ]);
  });

  it("takes Model Monitor for real-time endpoints only, hourly or daily", () => {
    const engine = "model-monitor";
    expect(pathsOf({ monitoring: { engine }, serving: { mode: "realtime" } })).toEqual([]);
    expect(pathsOf({ monitoring: { engine } })).toEqual(["/monitoring/engine"]);
    expect(
      pathsOf({ monitoring: { engine, schedule: "rate(7 days)" }, serving: { mode: "realtime" } }),
    ).toEqual(["/monitoring/schedule"]);
  });

  it("refuses a business metric twice, and under a name of the pipeline's own", () => {
    const metric = (name: string) => ({ name, title: name, statistic: "Sum" as const });
    expect(
      pathsOf({ monitoring: { businessMetrics: ["Saved", "Saved", "ModelQuality"].map(metric) } }),
    ).toEqual(["/monitoring/businessMetrics/1/name", "/monitoring/businessMetrics/2/name"]);
  });
});
