import { createHash } from "node:crypto";
import { json as readJson } from "node:stream/consumers";
import { LocalWorkspace, type PulumiFn, type Stack } from "@pulumi/pulumi/automation/index.js";
import type { PipelineInput } from "../../programs/inputs.ts";
import { pipelineProgram } from "../../programs/pipeline.ts";

/** What the bare script is asked to do with a list of stacks, one after another; travels over standard input. */
export interface BareTask {
  readonly action: "up" | "destroy" | "drift";
  readonly project: string;
  readonly backendUrl: string;
  readonly pluginFolder: string;
  readonly sandboxDatabaseUrl: string;
  readonly stacks: readonly {
    readonly name: string;
    readonly passphrase: string;
    readonly input: PipelineInput;
  }[];
}

/** A digest of what was done, so that the bench can check that both sides did the same. */
export interface BareResult {
  readonly changes: readonly Readonly<Record<string, number>>[];
  readonly digest: string;
}

// What somebody would write who has only the Automation API: no service, no spare process, no attached provider.
const task = (await readJson(process.stdin)) as BareTask;
const changes: Record<string, number>[] = [];
for (const { name, passphrase, input } of task.stacks) {
  const stack = await openStack(name, passphrase, pipelineProgram(input));
  changes.push(await perform(stack));
}
const digest = createHash("sha256").update(JSON.stringify(changes)).digest("hex");
process.stdout.write(`${JSON.stringify({ changes, digest } satisfies BareResult)}\n`);

function openStack(stackName: string, passphrase: string, program: PulumiFn): Promise<Stack> {
  // The SDK's type doesn't know `plugins`, which the CLI reads.
  const plugins = { plugins: { providers: [{ name: "aws", path: task.pluginFolder }] } };
  return LocalWorkspace.createOrSelectStack(
    { stackName, projectName: task.project, program },
    {
      projectSettings: { name: task.project, runtime: "nodejs", ...plugins },
      envVars: {
        PULUMI_BACKEND_URL: task.backendUrl,
        PULUMI_CONFIG_PASSPHRASE: passphrase,
        PULUMI_SKIP_UPDATE_CHECK: "true",
        // Without it the engine loses 2.5 s on every stack that exists; nobody would leave it so.
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        AIDLC_SANDBOX_DATABASE_URL: task.sandboxDatabaseUrl,
      },
    },
  );
}

async function perform(stack: Stack): Promise<Record<string, number>> {
  // As the service does.
  const parallel = 64;
  switch (task.action) {
    case "up":
      return (await stack.up({ parallel })).summary.resourceChanges ?? {};
    case "destroy":
      await stack.up({ parallel });
      return (await stack.destroy({ parallel, remove: true })).summary.resourceChanges ?? {};
    case "drift":
      return (await stack.previewRefresh({ parallel })).changeSummary;
  }
}
