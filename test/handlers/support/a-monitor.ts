import { randomUUID } from "node:crypto";
import { vi } from "vitest";
import { createHandler } from "../../../handlers/monitor/handler.ts";
import type { MonitorKind } from "../../../programs/monitor-kinds.ts";
import type { PipelineSpec } from "../../../programs/spec.ts";
import { aSpec } from "../../programs/support/inputs.ts";
import { type AskedPenguin, type Asking, askAbout, penguinColumns, TARGET } from "./captured-penguins.ts";
import { pipelineInAws } from "./pipeline-in-aws.ts";
import { registryOf } from "./registered-model.ts";

/** When the schedule calls: the last settled hour ends at midnight. */
export const NOW = new Date("2026-11-30T00:20:00Z");
export const HOUR = new Date("2026-11-29T10:30:00Z");
export const LABELS = "labels/2026/11/29/12/";
const REPORT = "2026/11/30/00";

const SPEC = {
  dataset: { schema: penguinColumns },
  training: {
    hyperparameters: { target: TARGET },
    qualityGate: { metric: "accuracy", threshold: 0.9, direction: "atLeast" },
  },
  monitoring: { segments: ["Sex"] },
} satisfies Parameters<typeof aSpec>[0];

/** A pipeline that predicts penguins, and its monitor. */
export async function aMonitor() {
  const spec: PipelineSpec = aSpec(SPEC);
  const pipeline = await pipelineInAws(spec);
  const env = pipeline.environmentOf("monitor");
  return {
    pipeline,
    env,
    ask: (asked: Parameters<typeof askAbout>[1], how: Partial<Asking> = {}) =>
      askAbout(pipeline, asked, { at: HOUR, ...how }),
    /** The event is the schedule's input, word for word. */
    run: async (kind: MonitorKind, now = NOW) => {
      const lines: string[] = [];
      const stdout = vi
        .spyOn(process.stdout, "write")
        .mockImplementation((text) => lines.push(String(text)) > 0);
      try {
        const outcome = await createHandler(env, () => now)({ kind });
        return { outcome, metrics: published(lines) };
      } finally {
        stdout.mockRestore();
      }
    },
    label: (asked: readonly AskedPenguin[], folder = LABELS) =>
      pipeline.put(
        "predictions",
        `${folder}${randomUUID()}.jsonl`,
        asked
          .map(({ inferenceId, penguin }) => JSON.stringify({ inferenceId, label: penguin[TARGET] }))
          .join("\n"),
      ),
    /** A document of the report on the day before, or on the window that ends in another hour. */
    document: async (kind: MonitorKind, name: string, end = REPORT) =>
      JSON.parse(String(await pipeline.read("predictions", `monitoring/${kind}/${end}/${name}`))),
    release: async (evaluation: Readonly<Record<string, unknown>>) => {
      const registry = await registryOf(pipeline);
      const { arn, execution } = await registry.register();
      await pipeline.put("models", `evaluations/${execution}/evaluation.json`, JSON.stringify(evaluation));
      await pipeline.put("models", "releases/current.json", JSON.stringify({ modelPackageArn: arn }));
      return arn;
    },
  };
}

/** Values of metrics that were published, by name and, where there is one, variant. */
export function published(lines: readonly string[]): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const line of lines) {
    if (!line.includes('"CloudWatchMetrics"')) continue;
    const { _aws, Variant, ...values } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    for (const [name, value] of Object.entries(values)) {
      found[Variant === undefined ? name : `${name}/${Variant}`] = value;
    }
  }
  return found;
}
