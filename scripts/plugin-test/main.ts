import { homedir } from "node:os";
import { PROFILES, type Profile } from "../../programs/profiles.ts";
import { type Example, exampleSpecs } from "../programs/example-specs.ts";
import { Client, json } from "../service/client.ts";
import { ServiceProcess } from "../service/service-process.ts";
import { ensurePlugin } from "./plugin.ts";
import { fitted, type Surroundings, surroundings } from "./surroundings.ts";

const team = "plugin-test";

// biome-ignore lint/style/noProcessEnv: a command of its own; the service gets what it needs of it
const environment = process.env;
process.exitCode = await main();

async function main(): Promise<number> {
  const found = surroundings(environment);
  if (typeof found === "string") return notRun(found);
  const problem = await ensurePlugin(homedir(), environment);
  if (problem !== undefined) return notRun(problem);
  print(`the official plugin: provisioning in ${found.where}, ${found.region}`);
  const failures = await provisionAll(found);
  print(
    failures.length === 0
      ? "the official plugin: passed"
      : `the official plugin: failed: ${failures.join(", ")}`,
  );
  return failures.length === 0 ? 0 : 1;
}

function notRun(reason: string): number {
  print(`the official plugin: not run: ${reason}`);
  return 0;
}

/** Returns the names of what failed. */
async function provisionAll(found: Surroundings): Promise<readonly string[]> {
  const service = await ServiceProcess.start(environment, { ...found.aws, AIDLC_TARGET: "aws" });
  const { signal } = new AbortController();
  try {
    const url = await service.ready(signal);
    const client = new Client({ url, token: service.token, signal, onCall: () => {} });
    await client.send("POST", "/v1/teams", json({ name: team }));
    const failures: string[] = [];
    for (const profile of PROFILES) failures.push(...(await provisionProfile(client, found, profile)));
    return failures;
  } finally {
    await service.stop();
  }
}

/** The account has one foundation at a time, so that of a profile comes before its examples and goes after them. */
async function provisionProfile(client: Client, found: Surroundings, profile: Profile): Promise<string[]> {
  const examples = exampleSpecs().filter(({ spec }) => spec.profile === profile);
  const aliases = [...new Set(examples.map(({ spec }) => spec.account))];
  const failures: string[] = [];
  for (const alias of aliases) {
    const path = `/v1/teams/${team}/accounts/${alias}`;
    const account = json({
      accountId: found.accountId,
      region: found.region,
      roleArn: found.roleArn,
      foundation: { profile },
    });
    const isUp = await attempt(`the foundation in ${profile} goes up`, failures, () =>
      client.run("PUT", path, account, () => {}),
    );
    for (const example of examples.filter(({ spec }) => isUp && spec.account === alias)) {
      await provisionExample(client, found, example, failures);
    }
    await attempt(`the foundation in ${profile} comes down`, failures, () =>
      client.run("DELETE", `${path}?data=delete`, undefined, () => {}),
    );
  }
  return failures;
}

async function provisionExample(client: Client, found: Surroundings, example: Example, failures: string[]) {
  const { name } = example;
  const fit = fitted(example, found);
  if ("leftOut" in fit) return print(`${name}: left out: ${fit.leftOut}`);
  const path = `/v1/teams/${team}/pipelines/${name}`;
  const body = { type: "application/yaml", content: fit.text } as const;
  const isUp = await attempt(`${name} goes up`, failures, () => client.run("PUT", path, body, () => {}));
  if (isUp) {
    await attempt(`${name} has no difference to a second update`, failures, async () => {
      const { result } = await client.run("POST", `${path}/previews`, body, () => {});
      const { same: _, ...changes } = result?.changes ?? {};
      if (Object.keys(changes).length > 0) throw new Error(JSON.stringify(changes));
    });
  }
  await attempt(`${name} comes down`, failures, () =>
    client.run("DELETE", `${path}?data=delete&confirm=${team}/${name}`, undefined, () => {}),
  );
}

async function attempt(what: string, failures: string[], work: () => Promise<unknown>): Promise<boolean> {
  const startMs = performance.now();
  try {
    await work();
    print(`${what} (${Math.round((performance.now() - startMs) / 1000)} s)`);
    return true;
  } catch (error) {
    print(`${what}: FAILED: ${error instanceof Error ? error.message : error}`);
    failures.push(what);
    return false;
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
