import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  bare,
  type Contenders,
  checkByService,
  prepare,
  provisionByService,
  removalPath,
  serviceBackend,
  statePassphrase,
} from "./contenders.ts";
import { median, rounded, timed } from "./figures.ts";
import { withInstalled } from "./installed.ts";
import { peakMemoryPerOperation } from "./memory.ts";

const pairs = 5;
const driftStacks = 20;
const driftRounds = 3;

/**
 * The service against a bare script that runs the same program through the Automation API, on the same engine, kind of backend
 * and provider, in turn. The service is timed from the request to the end of its operation, the script as a whole process.
 */
export async function benchProvision(environment: NodeJS.ProcessEnv, print: (line: string) => void) {
  return withInstalled(environment, { AIDLC_STATE_PASSPHRASE: statePassphrase }, async (installed) => {
    const contenders = await prepare(installed, environment);
    await mkdir(join(contenders.folder, "bare-state"));
    const provision = await provisionPairs(contenders, print);
    const peakMemoryMbPerOperation = await memoryOfProvision(contenders, print);
    const drift = await driftRoundsOf(contenders, print);
    return {
      provisionRatio: provision.ratio,
      driftRatio: drift.ratio,
      peakMemoryMbPerOperation,
      provision: provision.raw,
      drift: drift.raw,
    };
  });
}

async function provisionPairs(contenders: Contenders, print: (line: string) => void) {
  const raw = { serviceMs: [] as number[], bareMs: [] as number[] };
  const backend = `file://${join(contenders.folder, "bare-state")}`;
  // The first pair warms the file system's caches and isn't counted.
  for (let pair = 0; pair <= pairs; pair += 1) {
    const serviceMs = await timed(() => provisionByService(contenders, `service-${pair}`));
    await contenders.client.run("DELETE", removalPath(`service-${pair}`), undefined, () => {});
    const bareMs = await timed(() => bare(contenders, "up", [`bare-${pair}`], backend));
    await bare(contenders, "destroy", [`bare-${pair}`], backend);
    if (pair === 0) continue;
    raw.serviceMs.push(serviceMs);
    raw.bareMs.push(bareMs);
    print(`provision ${pair}/${pairs}: service ${serviceMs} ms, bare script ${bareMs} ms`);
  }
  const ratio = rounded(median(raw.serviceMs) / median(raw.bareMs));
  print(`provision: ratio of medians ${ratio} (target at most 0.9)`);
  return { ratio, raw };
}

async function memoryOfProvision(contenders: Contenders, print: (line: string) => void): Promise<number> {
  const end = new AbortController();
  const watching = peakMemoryPerOperation(end.signal);
  await provisionByService(contenders, "memory");
  end.abort();
  const megabytes = Math.round((await watching) / 1e6);
  print(`memory: at most ${megabytes} MB per operation (runner and engine)`);
  return megabytes;
}

async function driftRoundsOf(contenders: Contenders, print: (line: string) => void) {
  const names = Array.from({ length: driftStacks }, (_, index) => `drift-${index}`);
  await Promise.all(names.map((name) => provisionByService(contenders, name)));
  print(`drift: ${driftStacks} stacks are provisioned`);
  const raw = { serviceMs: [] as number[], bareMs: [] as number[] };
  for (let round = 1; round <= driftRounds; round += 1) {
    const serviceMs = await timed(() => Promise.all(names.map((name) => checkByService(contenders, name))));
    // The very stacks of the service: the same states in the same backend.
    const bareMs = await timed(() => bare(contenders, "drift", names, serviceBackend(contenders)));
    raw.serviceMs.push(serviceMs);
    raw.bareMs.push(bareMs);
    print(`drift ${round}/${driftRounds}: service ${serviceMs} ms, sequential bare loop ${bareMs} ms`);
  }
  const ratio = rounded(median(raw.serviceMs) / median(raw.bareMs));
  print(`drift: ratio of medians ${ratio} (target at most 0.35)`);
  return { ratio, raw };
}
