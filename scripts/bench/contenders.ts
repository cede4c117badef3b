import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { json as readJson } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { FoundationOutputs, PipelineInput } from "../../programs/inputs.ts";
import { stackPassphrases } from "../../src/operations/passphrases.ts";
import { parseSpec } from "../../src/pipelines/spec.ts";
import { json, type Operation } from "../service/client.ts";
import type { BareResult, BareTask } from "./bare.ts";
import type { Installed } from "./installed.ts";

export const statePassphrase = "bench-state-passphrase";
export const team = "bench";
const account = { accountId: "123456789012", region: "eu-central-1" };
const example = new URL("../../examples/penguins.yaml", import.meta.url);
const pluginFolder = fileURLToPath(new URL("../../src/sandbox/plugin", import.meta.url));

/** A service and a bare script that can do the same, on the same engine, provider and kind of backend. */
export interface Contenders extends Installed {
  readonly spec: string;
  readonly foundation: FoundationOutputs;
  readonly environment: NodeJS.ProcessEnv;
}

/** Gives the service, which must have been started with `statePassphrase`, a team with a provisioned account. */
export async function prepare(installed: Installed, environment: NodeJS.ProcessEnv): Promise<Contenders> {
  const { client } = installed;
  const spec = await readFile(example, "utf8");
  await client.send("POST", "/v1/teams", json({ name: team }));
  const path = `/v1/teams/${team}/accounts/${parse(spec).account}`;
  await client.run("PUT", path, json(account), () => {});
  const { outputs } = await client.get<{ outputs: FoundationOutputs }>(`${path}/foundation`);
  return { ...installed, spec, foundation: outputs, environment };
}

export function provisionByService({ client, spec }: Contenders, name: string): Promise<Operation> {
  return client.run("PUT", pipelinePath(name), { type: "application/yaml", content: spec }, () => {});
}

export function checkByService({ client }: Contenders, name: string): Promise<Operation> {
  return client.run("POST", `${pipelinePath(name)}/drift-checks`, undefined, () => {});
}

/** By which a pipeline goes with its data. */
export function removalPath(name: string): string {
  return `${pipelinePath(name)}?data=delete&confirm=${team}/${name}`;
}

export function pipelinePath(name: string): string {
  return `/v1/teams/${team}/pipelines/${name}`;
}

/** Where the service keeps its states. */
export function serviceBackend({ folder }: Installed): string {
  return `file://${join(folder, "state")}`;
}

/** Runs the bare script, as a whole process, on the stacks of these pipelines. */
export async function bare(
  contenders: Contenders,
  action: BareTask["action"],
  names: readonly string[],
  backendUrl: string,
): Promise<BareResult> {
  const { environment, folder } = contenders;
  const child = spawn(process.execPath, [fileURLToPath(new URL("./bare.ts", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
    // Workspaces leave their folders behind; in there they go with the bench.
    env: { PATH: environment.PATH, HOME: environment.HOME, TMPDIR: folder },
  });
  child.stdin.end(JSON.stringify(bareTask(contenders, action, names, backendUrl)));
  const [result, [code]] = await Promise.all([readJson(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`The bare script ended with ${code}`);
  return result as BareResult;
}

function bareTask(
  { spec: text, foundation, databaseUrl }: Contenders,
  action: BareTask["action"],
  names: readonly string[],
  backendUrl: string,
): BareTask {
  const project = "aidlc-pipeline";
  const passphrases = stackPassphrases(statePassphrase);
  const spec = parseSpec(parse(text));
  const dataOnDestroy = action === "destroy" ? "delete" : "retain";
  return {
    action,
    project,
    backendUrl,
    pluginFolder,
    sandboxDatabaseUrl: databaseUrl,
    stacks: names.map((pipeline) => {
      const name = `${team}.${pipeline}`;
      const input: PipelineInput = { team, pipeline, spec, account, foundation, dataOnDestroy };
      return { name, passphrase: passphrases.of(project, name), input };
    }),
  };
}
