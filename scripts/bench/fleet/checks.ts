import { setTimeout as sleep } from "node:timers/promises";
import type { Static } from "typebox";
import type { PipelineSummary } from "../../../src/pipelines/schema.ts";
import {
  bare,
  type Contenders,
  checkByService,
  prepare,
  provisionByService,
  serviceBackend,
  statePassphrase,
  team,
} from "../contenders.ts";
import { rounded, timed } from "../figures.ts";
import { withInstalled } from "../installed.ts";
import { treeMemory } from "../memory.ts";
import { databaseMs } from "./database-time.ts";
import { eachOf } from "./each-of.ts";
import { underLoad } from "./load.ts";
import { registerIdle } from "./seed.ts";

export interface ChecksPlan {
  /** Pipelines that were really provisioned; the others are registered and were never applied. */
  readonly real: number;
  /** How many pipelines are registered in each pass. */
  readonly registered: readonly number[];
  /** Drift checks against the bare script. */
  readonly checks: number;
  /** Of these, how many go to each of the two before it is the other's turn. */
  readonly atOnce: number;
}

/** A pass over the whole fleet: find the pipelines that were applied, check each of them once. */
export interface Pass {
  readonly registered: number;
  readonly checked: number;
  readonly ms: number;
  readonly stacksPerSecond: number;
  readonly databaseMsPerCheck: number;
  /** The service with its runners and its provider, at its largest and when all was over. */
  readonly peakMemoryMb: number;
  readonly memoryAfterMb: number;
}

// As many as a client may follow at the same time, and more than run at once.
const followed = 20;
const settings = {
  AIDLC_STATE_PASSPHRASE: statePassphrase,
  AIDLC_TEAM_MAX_PIPELINES: "1000",
  AIDLC_TEAM_MAX_OPERATIONS_PER_DAY: "100000",
};

/**
 * Drift checks by the service, of a growing fleet, and then of real stacks only against the bare script, which checks the same ones of
 * the same backend, one after another, as often. Idle pipelines never count as checked.
 */
export function benchChecks(environment: NodeJS.ProcessEnv, print: (line: string) => void, plan: ChecksPlan) {
  return withInstalled(environment, settings, async (installed) => {
    const contenders = await prepare(installed, environment);
    const passes: Pass[] = [];
    const names = Array.from({ length: plan.real }, (_, index) => `real-${String(index).padStart(2, "0")}`);
    let real = 0;
    let idle = 0;
    for (const registered of plan.registered) {
      const provisioned = Math.min(plan.real, registered);
      await eachOf(names.slice(real, provisioned), followed, (name) => provisionByService(contenders, name));
      real = provisioned;
      await registerIdle(contenders.databaseUrl, team, { from: idle, to: registered - real });
      idle = registered - real;
      const pass = await passOver(contenders, registered);
      passes.push(pass);
      print(
        `checks: ${registered} registered, ${pass.checked} checked in ${pass.ms} ms: ${pass.stacksPerSecond} a second, ` +
          `${pass.databaseMsPerCheck} ms of database each, ${pass.peakMemoryMb} MB at most, ${pass.memoryAfterMb} MB after`,
      );
    }
    const against = await againstBare(contenders, names, plan, print);
    return {
      ratio: against.ratio,
      raw: { passes, against: against.raw, statusOfReal: await statusLoad(contenders, names) },
    };
  });
}

async function passOver(contenders: Contenders, registered: number): Promise<Pass> {
  const { client, databaseUrl, pid } = contenders;
  let checked = 0;
  let ms = 0;
  const end = new AbortController();
  const peak = peakMemory(pid, end.signal);
  const database = await databaseMs(databaseUrl, async () => {
    ms = await timed(async () => {
      const pipelines = await client.all<Static<typeof PipelineSummary>>(`/v1/teams/${team}/pipelines`);
      if (pipelines.length !== registered)
        throw new Error(`${pipelines.length} pipelines instead of ${registered}`);
      const applied = pipelines.filter(({ appliedRevision }) => appliedRevision !== undefined);
      await eachOf(applied, followed, ({ name }) => checkByService(contenders, name));
      checked = applied.length;
    });
    end.abort();
  });
  return {
    registered,
    checked,
    ms,
    stacksPerSecond: rounded((checked * 1000) / ms),
    databaseMsPerCheck: rounded(database / checked),
    peakMemoryMb: megabytes(await peak),
    memoryAfterMb: megabytes(await treeMemory(pid)),
  };
}

async function againstBare(
  contenders: Contenders,
  names: readonly string[],
  { checks, atOnce }: ChecksPlan,
  print: (line: string) => void,
) {
  const raw = { serviceMs: [] as number[], bareMs: [] as number[] };
  for (let begun = 0; begun < checks; begun += atOnce) {
    const turn = Array.from(
      { length: atOnce },
      (_, index) => names[(begun + index) % names.length] as string,
    );
    const serviceMs = await timed(() => eachOf(turn, followed, (name) => checkByService(contenders, name)));
    const bareMs = await timed(() => bare(contenders, "drift", turn, serviceBackend(contenders)));
    raw.serviceMs.push(serviceMs);
    raw.bareMs.push(bareMs);
    print(`checks ${begun + atOnce}/${checks}: service ${serviceMs} ms, sequential bare loop ${bareMs} ms`);
  }
  const ratio = rounded(sum(raw.serviceMs) / sum(raw.bareMs));
  print(`checks: ${ratio} of the bare loop's time (target at most 0.25)`);
  return { ratio, raw };
}

/** Status of pipelines that SageMaker is asked about: three questions to AWS, or the sandbox, for each request. */
async function statusLoad({ url, token }: Contenders, names: readonly string[]) {
  const paths = names.map((name) => `/v1/teams/${team}/pipelines/${name}/status`);
  return underLoad(
    url,
    Array.from({ length: 64 }, () => ({ token, paths })),
    3,
  );
}

async function peakMemory(pid: number, signal: AbortSignal): Promise<number> {
  let peak = 0;
  while (!signal.aborted) {
    peak = Math.max(peak, await treeMemory(pid));
    await sleep(500, undefined, { signal }).catch(() => {});
  }
  return peak;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
