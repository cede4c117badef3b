import { json } from "../service/client.ts";
import { countByPhase } from "./phase-progress.ts";
import { counted, seconds } from "./printer.ts";
import { look, pipelinePath, play, type Stage } from "./stage.ts";
import { printSteps } from "./step-report.ts";

type Patch = { readonly [name: string]: Patch | string | number };

const patch: Patch = {
  budget: { monthlyUsd: 40 },
  monitoring: { logRetentionDays: 90, alarms: { quarantinedFraction: 0.02 } },
  training: { hyperparameters: { max_depth: 6 } },
};

const words = {
  create: "will be created",
  update: "will change",
  delete: "will be deleted",
  replace: "will be replaced",
};

export async function changeSpec(stage: Stage): Promise<void> {
  const { client, printer, summary } = stage;
  const { spec } = await client.get<{ spec: unknown }>(pipelinePath);
  const preview = await look(stage, `${pipelinePath}/previews`, json(merged(spec, patch)));
  const plan = preview.operation.result?.steps ?? [];
  printer.done(`the preview plans ${counted(plan.length, "change")} (${seconds(preview.ms)})`);
  printSteps(printer, plan, words);
  const { operation, ms } = await play(stage, "PATCH", pipelinePath, {
    body: { type: "application/merge-patch+json", content: JSON.stringify(patch) },
    planned: countByPhase(plan),
  });
  summary.updateMs = Math.round(ms);
  const unchanged = operation.result?.changes.same ?? 0;
  printer.done(
    `revision ${operation.revision} is applied, ${counted(unchanged, "resource")} untouched (${seconds(ms)})`,
  );
}

/** A preview takes a whole spec. */
function merged(target: unknown, changes: Patch): unknown {
  const result: Record<string, unknown> = { ...(target as object) };
  for (const [name, value] of Object.entries(changes)) {
    result[name] = typeof value === "object" ? merged(result[name] ?? {}, value) : value;
  }
  return result;
}
