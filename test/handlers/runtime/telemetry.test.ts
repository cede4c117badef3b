import { afterEach, expect, it, vi } from "vitest";
import { createTelemetry } from "../../../handlers/runtime/telemetry.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

it("publishes metrics in the pipeline's namespace and without dimensions, as alarms name them", () => {
  const { metrics } = createTelemetry("gate", { AIDLC_METRIC_NAMESPACE: "AIDLC/research/penguins" });
  const lines: string[] = [];
  // The metrics' own console writes straight to standard output, where Lambda takes them from.
  vi.spyOn(process.stdout, "write").mockImplementation((line) => lines.push(String(line)) > 0);
  metrics.addMetric("Predictions", "Count", 1);
  metrics.addMetric("Predictions", "Count", 2);
  metrics.publishStoredMetrics();
  vi.restoreAllMocks();
  expect(JSON.parse(lines.join(""))).toEqual({
    Predictions: [1, 2],
    _aws: {
      Timestamp: expect.any(Number),
      CloudWatchMetrics: [
        {
          Namespace: "AIDLC/research/penguins",
          Dimensions: [[]],
          Metrics: [{ Name: "Predictions", Unit: "Count" }],
        },
      ],
    },
  });
});
