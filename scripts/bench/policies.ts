import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { json as readJson } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { FoundationOutputs } from "../../programs/inputs.ts";
import { PROFILES } from "../../programs/profiles.ts";
import { SandboxProvider } from "../../src/engine/sandbox-provider.ts";
import { type Example, exampleSpecs } from "../programs/example-specs.ts";
import { json } from "../service/client.ts";
import { median, rounded } from "./figures.ts";
import { type Installed, withInstalled } from "./installed.ts";
import type { PreviewResult, PreviewTask } from "./preview.ts";

const pairs = 10;
const target = 1.15;
const account = { accountId: "123456789012", region: "eu-central-1" };

interface Bench extends Installed {
  readonly environment: NodeJS.ProcessEnv;
  readonly provider: SandboxProvider;
}

/**
 * The preview of a new pipeline with all policies against the same preview without any, in turn and each in a process of its own,
 * as the service's runners are: for the first example of each profile. By the clock, which needs a quiet machine, and by the
 * processor time of runner and engine, which doesn't.
 */
export async function benchPolicies(environment: NodeJS.ProcessEnv, print: (line: string) => void) {
  return withInstalled(environment, {}, async (installed) => {
    const provider = new SandboxProvider(installed.databaseUrl, processEnvironment(environment));
    const bench: Bench = { ...installed, environment, provider };
    try {
      const examples = exampleSpecs();
      const previews = [];
      for (const profile of PROFILES) {
        const example = examples.find(({ spec }) => spec.profile === profile);
        if (example === undefined) throw new Error(`No example has the profile ${profile}`);
        const measured = await measure(bench, example);
        print(
          `${example.name} (${profile}): ${measured.resources} resources, preview ${median(measured.governedMs)} ms with policies, ${median(measured.bareMs)} ms without, ratio ${measured.ratio}, of processor time ${measured.cpuRatio} (target below ${target})`,
        );
        previews.push(measured);
      }
      return {
        policyRatio: Math.max(...previews.map(({ ratio }) => ratio)),
        policyCpuRatio: Math.max(...previews.map(({ cpuRatio }) => cpuRatio)),
        previews,
      };
    } finally {
      await provider.close();
    }
  });
}

async function measure(bench: Bench, example: Example) {
  const foundation = await foundationFor(bench, example);
  const raw = {
    governedMs: [] as number[],
    bareMs: [] as number[],
    governedCpuMs: [] as number[],
    bareCpuMs: [] as number[],
  };
  let resources = 0;
  // The first pair warms the file system's caches and isn't counted.
  for (let pair = 0; pair <= pairs; pair += 1) {
    const governed = await preview(bench, example, foundation, true);
    const bare = await preview(bench, example, foundation, false);
    if (governed.resources !== bare.resources) throw new Error("Both previews plan the same resources");
    resources = bare.resources;
    if (pair === 0) continue;
    raw.governedMs.push(governed.ms);
    raw.bareMs.push(bare.ms);
    raw.governedCpuMs.push(governed.cpuMs);
    raw.bareCpuMs.push(bare.cpuMs);
  }
  const ratio = rounded(median(raw.governedMs) / median(raw.bareMs));
  const cpuRatio = rounded(median(raw.governedCpuMs) / median(raw.bareCpuMs));
  return { example: example.name, resources, ratio, cpuRatio, ...raw };
}

async function foundationFor({ client }: Bench, { spec }: Example): Promise<FoundationOutputs> {
  await client.send("POST", "/v1/teams", json({ name: spec.profile }));
  const path = `/v1/teams/${spec.profile}/accounts/${spec.account}`;
  const foundation = { profile: spec.profile };
  await client.run("PUT", path, json({ ...account, foundation }), () => {});
  return (await client.get<{ outputs: FoundationOutputs }>(`${path}/foundation`)).outputs;
}

async function preview(
  bench: Bench,
  { name, spec }: Example,
  foundation: FoundationOutputs,
  governed: boolean,
): Promise<PreviewResult & { readonly cpuMs: number }> {
  const folder = await mkdtemp(join(bench.folder, "preview-"));
  for (const part of ["project", "home", "tmp"]) await mkdir(join(folder, part));
  const team = spec.profile;
  const task: PreviewTask = {
    governed,
    folder,
    pluginFolder: bench.provider.pluginFolder,
    request: {
      operationId: "preview",
      action: "preview",
      stack: { project: "aidlc-pipeline", name: `${team}.${name}`, exists: false },
      program: {
        name: "pipeline",
        input: { team, pipeline: name, spec, account, foundation, dataOnDestroy: "retain" },
      },
      data: "retain",
      policies: { exceptions: [], enforced: [] },
      passphrase: "bench-state-passphrase",
      backendUrl: `file://${folder}`,
      credentials: {},
      attachedProviderPort: await bench.provider.port(),
    },
  };
  const beforeMs = await cpuMsOfEnded();
  const child = spawn(process.execPath, [fileURLToPath(new URL("./preview.ts", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
    env: processEnvironment(bench.environment),
  });
  child.stdin.end(JSON.stringify(task));
  const [result, [code]] = await Promise.all([readJson(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`The preview ended with ${code}`);
  return { ...(result as PreviewResult), cpuMs: (await cpuMsOfEnded()) - beforeMs };
}

/** The processor time of all that this process has started and seen the end of, with what they had started. */
async function cpuMsOfEnded(): Promise<number> {
  const [, fields = ""] = (await readFile("/proc/self/stat", "utf8")).split(") ");
  // cutime and cstime, the 16th and 17th of all (proc_pid_stat(5)), in ticks of 10 ms.
  const [user, system] = fields.split(" ").slice(13, 15).map(Number);
  return ((user ?? Number.NaN) + (system ?? Number.NaN)) * 10;
}

function processEnvironment({ PATH = "", HOME = "" }: NodeJS.ProcessEnv) {
  return { PATH, HOME };
}
