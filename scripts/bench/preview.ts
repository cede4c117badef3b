import { json as readJson } from "node:stream/consumers";
import { PulumiCommand } from "@pulumi/pulumi/automation/index.js";
import { pipelineProgram } from "../../programs/pipeline.ts";
import { runEngine } from "../../src/engine/engine.ts";
import { runAction } from "../../src/engine/governed.ts";
import type { RunRequest } from "../../src/engine/protocol.ts";
import { forgetStackTraces } from "../../src/engine/stack-traces.ts";

/** One preview for this process; travels over standard input. */
export interface PreviewTask {
  readonly governed: boolean;
  readonly request: RunRequest;
  /** With `project` and `home` in it. */
  readonly folder: string;
  readonly pluginFolder: string;
}

export interface PreviewResult {
  readonly ms: number;
  readonly resources: number;
}

// As a runner does: all is imported before the clock starts.
forgetStackTraces();
const { governed, request, folder, pluginFolder } = (await readJson(process.stdin)) as PreviewTask;
if (request.program.name !== "pipeline") throw new Error("Pipelines only");
const options = {
  folder,
  command: await PulumiCommand.get({ skipVersionCheck: true }),
  pluginFolder,
  program: pipelineProgram(request.program.input),
  signal: new AbortController().signal,
  onEvent: () => {},
  keepPending: async () => {},
};
const startMs = performance.now();
const outcome = await (governed ? runAction : runEngine)(request, options);
const ms = Math.round(performance.now() - startMs);
if (outcome.state !== "succeeded") throw new Error(JSON.stringify(outcome.error));
const result: PreviewResult = { ms, resources: outcome.steps.length };
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
