import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { json as readJson } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { FoundationOutputs, PipelineInput } from "../../programs/inputs.ts";
import { stackPassphrases } from "../../src/operations/passphrases.ts";
import { parseSpec } from "../../src/pipelines/spec.ts";
import { type Client, json, type Operation } from "../service/client.ts";
import type { BareResult, BareTask } from "./bare.ts";
import { median, rounded, timed } from "./figures.ts";
import { type Installed, withInstalled } from "./installed.ts";
import { peakMemoryPerOperation } from "./memory.ts";

const pairs = 5;
const driftStacks = 20;
const driftRounds = 3;
const team = "bench";
const account = { accountId: "123456789012", region: "eu-central-1" };
const example = new URL("../../examples/penguins.yaml", import.meta.url);
const pluginFolder = fileURLToPath(new URL("../../src/sandbox/plugin", import.meta.url));

interface Bench extends Installed {
  readonly statePassphrase: string;
  readonly spec: string;
  readonly foundation: FoundationOutputs;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * The service against a bare script that runs the same program through the Automation API, on the same engine, kind of backend
 * and provider, in turn. The service is timed from the request to the end of its operation, the script as a whole process.
 */
export async function benchProvision(environment: NodeJS.ProcessEnv, print: (line: string) => void) {
  const statePassphrase = "bench-state-passphrase";
  return withInstalled(environment, { AIDLC_STATE_PASSPHRASE: statePassphrase }, async (installed) => {
    const shared = { ...installed, statePassphrase, environment };
    const bench: Bench = { ...shared, ...(await prepare(installed.client)) };
    await mkdir(join(bench.folder, "bare-state"));
    const provision = await provisionPairs(bench, print);
    const peakMemoryMbPerOperation = await memoryOfProvision(bench, print);
    const drift = await driftRoundsOf(bench, print);
    return {
      provisionRatio: provision.ratio,
      driftRatio: drift.ratio,
      peakMemoryMbPerOperation,
      provision: provision.raw,
      drift: drift.raw,
    };
  });
}

async function prepare(client: Client) {
  const spec = await readFile(example, "utf8");
  await client.send("POST", "/v1/teams", json({ name: team }));
  const path = `/v1/teams/${team}/accounts/${parse(spec).account}`;
  await client.run("PUT", path, json(account), () => {});
  const { outputs } = await client.get<{ outputs: FoundationOutputs }>(`${path}/foundation`);
  return { spec, foundation: outputs };
}

async function provisionPairs(bench: Bench, print: (line: string) => void) {
  const raw = { serviceMs: [] as number[], bareMs: [] as number[] };
  // The first pair warms the file system's caches and isn't counted.
  for (let pair = 0; pair <= pairs; pair += 1) {
    const serviceMs = await timed(() => provisionByService(bench, `service-${pair}`));
    await bench.client.run("DELETE", `${pipelinePath(`service-${pair}`)}?data=delete`, undefined, () => {});
    const bareMs = await timed(() => bare(bench, "up", [`bare-${pair}`], bareBackend(bench)));
    await bare(bench, "destroy", [`bare-${pair}`], bareBackend(bench));
    if (pair === 0) continue;
    raw.serviceMs.push(serviceMs);
    raw.bareMs.push(bareMs);
    print(`provision ${pair}/${pairs}: service ${serviceMs} ms, bare script ${bareMs} ms`);
  }
  const ratio = rounded(median(raw.serviceMs) / median(raw.bareMs));
  print(`provision: ratio of medians ${ratio} (target at most 0.9)`);
  return { ratio, raw };
}

async function memoryOfProvision(bench: Bench, print: (line: string) => void): Promise<number> {
  const end = new AbortController();
  const watching = peakMemoryPerOperation(end.signal);
  await provisionByService(bench, "memory");
  end.abort();
  const megabytes = Math.round((await watching) / 1e6);
  print(`memory: at most ${megabytes} MB per operation (runner and engine)`);
  return megabytes;
}

async function driftRoundsOf(bench: Bench, print: (line: string) => void) {
  const names = Array.from({ length: driftStacks }, (_, index) => `drift-${index}`);
  await Promise.all(names.map((name) => provisionByService(bench, name)));
  print(`drift: ${driftStacks} stacks are provisioned`);
  const raw = { serviceMs: [] as number[], bareMs: [] as number[] };
  for (let round = 1; round <= driftRounds; round += 1) {
    const serviceMs = await timed(() =>
      Promise.all(
        names.map((name) =>
          bench.client.run("POST", `${pipelinePath(name)}/drift-checks`, undefined, () => {}),
        ),
      ),
    );
    // The very stacks of the service: the same states in the same backend.
    const bareMs = await timed(() => bare(bench, "drift", names, `file://${join(bench.folder, "state")}`));
    raw.serviceMs.push(serviceMs);
    raw.bareMs.push(bareMs);
    print(`drift ${round}/${driftRounds}: service ${serviceMs} ms, sequential bare loop ${bareMs} ms`);
  }
  const ratio = rounded(median(raw.serviceMs) / median(raw.bareMs));
  print(`drift: ratio of medians ${ratio} (target at most 0.35)`);
  return { ratio, raw };
}

async function provisionByService({ client, spec }: Bench, name: string): Promise<Operation> {
  return client.run("PUT", pipelinePath(name), { type: "application/yaml", content: spec }, () => {});
}

function pipelinePath(name: string): string {
  return `/v1/teams/${team}/pipelines/${name}`;
}

function bareBackend({ folder }: Bench): string {
  return `file://${join(folder, "bare-state")}`;
}

async function bare(
  bench: Bench,
  action: BareTask["action"],
  names: readonly string[],
  backendUrl: string,
): Promise<BareResult> {
  const project = "aidlc-pipeline";
  const passphrases = stackPassphrases(bench.statePassphrase);
  const task: BareTask = {
    action,
    project,
    backendUrl,
    pluginFolder,
    sandboxDatabaseUrl: bench.databaseUrl,
    stacks: names.map((pipeline) => {
      const name = `${team}.${pipeline}`;
      const dataOnDestroy = action === "destroy" ? "delete" : "retain";
      const spec = parseSpec(parse(bench.spec));
      const input: PipelineInput = {
        team,
        pipeline,
        spec,
        account,
        foundation: bench.foundation,
        dataOnDestroy,
      };
      return { name, passphrase: passphrases.of(project, name), input };
    }),
  };
  const child = spawn(process.execPath, [fileURLToPath(new URL("./bare.ts", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
    // Workspaces leave their folders behind; in there they go with the bench.
    env: { PATH: bench.environment.PATH, HOME: bench.environment.HOME, TMPDIR: bench.folder },
  });
  child.stdin.end(JSON.stringify(task));
  const [result, [code]] = await Promise.all([readJson(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`The bare script ended with ${code}`);
  return result as BareResult;
}
