import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PROFILES, type Profile } from "../../programs/profiles.ts";
import { Schema } from "../../src/sandbox/schema.ts";
import { typicalCreateMs } from "../../src/sandbox/typical-times.ts";
import { type Example, exampleSpecs } from "../programs/example-specs.ts";
import { type Client, json } from "../service/client.ts";
import { rounded, timed } from "./figures.ts";
import { withInstalled } from "./installed.ts";
import { type BareOrder, bareOrders, criticalPath, type StateResource } from "./resource-graph.ts";

// A longer critical path is scaled down to this. Not further: what the engine itself needs, 4 to 8 s, is part of the ratio.
const longestMs = 120_000;
const target = 1.15;
const region = "eu-central-1";
const accountIds: Readonly<Record<Profile, string>> = {
  learning: "111122223333",
  production: "444455556666",
};
const faults = "/sandbox/v1/faults";

export interface GraphResult {
  readonly example: string;
  readonly resources: number;
  readonly criticalPathMs: number;
  readonly updateMs: number;
  readonly ratio: number;
}

interface Bench {
  readonly client: Client;
  readonly stateFolder: string;
  readonly secondsOf: (type: string) => number;
  readonly print: (line: string) => void;
}

/**
 * Provisions every example while each creation in the sandbox takes as long as it typically does on AWS, and compares the update's
 * time with the critical path of its graph. An example whose path is longer than two minutes runs at such a fraction of these times
 * that it takes two; no path is stretched.
 */
export async function benchGraph(environment: NodeJS.ProcessEnv, print: (line: string) => void) {
  return withInstalled(environment, {}, async ({ client, folder }) => {
    const schema = new Schema();
    const secondsOf = (type: string) => typicalCreateMs(schema, type) / 1000;
    const stateFolder = join(folder, "state", ".pulumi", "stacks", "aidlc-pipeline");
    const bench: Bench = { client, stateFolder, secondsOf, print };
    const examples = exampleSpecs();
    const used = PROFILES.filter((profile) => examples.some(({ spec }) => spec.profile === profile));
    for (const profile of used) await registerAccount(client, profile, examples);
    const graphs: GraphResult[] = [];
    for (const example of examples) graphs.push(await measure(bench, example));
    return { graphs };
  });
}

/** A team for each profile, because examples of both call their account by the same name. */
async function registerAccount(
  client: Client,
  profile: Profile,
  examples: readonly Example[],
): Promise<void> {
  await client.send("POST", "/v1/teams", json({ name: profile }));
  const aliases = new Set(
    examples.filter(({ spec }) => spec.profile === profile).map(({ spec }) => spec.account),
  );
  for (const alias of aliases) {
    const body = json({ accountId: accountIds[profile], region, foundation: { profile } });
    await client.run("PUT", `/v1/teams/${profile}/accounts/${alias}`, body, () => {});
  }
}

async function measure(bench: Bench, example: Example): Promise<GraphResult> {
  const { client, print } = bench;
  // The first time at once: the path, and with it the fraction of AWS's times, is known when the graph is.
  await provision(bench, example);
  const resources = await stateOf(bench, example);
  const path = criticalPath(resources, bench.secondsOf);
  await destroy(bench, example);

  const latencyFactor = Math.min(1, longestMs / (path.seconds * 1000));
  await client.send("POST", faults, json({ kind: "latency", operation: "create", latencyFactor }));
  const updateMs = await timed(() => provision(bench, example));
  await client.send("DELETE", faults);
  await destroy(bench, example);

  const criticalPathMs = Math.round(path.seconds * 1000 * latencyFactor);
  const result: GraphResult = {
    example: example.name,
    resources: resources.filter(({ type }) => type.startsWith("aws:")).length,
    criticalPathMs,
    updateMs,
    ratio: rounded(updateMs / criticalPathMs),
  };
  print(
    `${result.example}: ${result.resources} resources, critical path ${criticalPathMs} ms, update ${updateMs} ms, ratio ${result.ratio} (target at most ${target})`,
  );
  print(
    `  ${path.seconds} s on AWS, played at ${latencyFactor.toFixed(3)} of it: ${path.urns.map(shortName).join(" → ")}`,
  );
  for (const order of bareOrders(resources)) print(`  needless? ${orderText(order)}`);
  return result;
}

function provision({ client }: Bench, example: Example) {
  return client.run("PUT", pathOf(example), { type: "application/yaml", content: example.text }, () => {});
}

function destroy({ client }: Bench, example: Example) {
  const confirm = `${example.spec.profile}/${example.name}`;
  return client.run("DELETE", `${pathOf(example)}?data=delete&confirm=${confirm}`, undefined, () => {});
}

function pathOf({ name, spec }: Example): string {
  return `/v1/teams/${spec.profile}/pipelines/${name}`;
}

async function stateOf({ stateFolder }: Bench, { name, spec }: Example): Promise<readonly StateResource[]> {
  const text = await readFile(join(stateFolder, `${spec.profile}.${name}.json`), "utf8");
  const { checkpoint } = JSON.parse(text) as {
    checkpoint: { latest: { resources: readonly StateResource[] } };
  };
  return checkpoint.latest.resources;
}

function orderText({ from, to, input }: BareOrder): string {
  return `${shortName(from)} waits for ${shortName(to)} ${input === undefined ? "by dependsOn" : `through ${input}, whose value has nothing of it`}`;
}

const shortName = (urn: string): string => urn.split("::").slice(3).join("::");
