import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool } from "../../src/postgres/pool.ts";
import { approveAll } from "./approver.ts";
import { useTenant } from "./client-crowd.ts";
import { type Cluster, prepareCluster } from "./cluster.ts";
import { endProcesses, readMachine } from "./facts/machine-facts.ts";
import { readFacts } from "./facts/read-facts.ts";
import { endFaults, orderFaults } from "./faults.ts";
import { nothingIsLeftOfPipelines } from "./invariants/inventory.ts";
import { noProcessIsLeft, noTemporaryFileIsLeft } from "./invariants/machine.ts";
import type { Violation } from "./invariants/violation.ts";
import { Killer } from "./killer.ts";
import { OperationWatch } from "./operation-watch.ts";
import { drawKills } from "./plan.ts";
import { becomeQuiet } from "./quiet.ts";
import { Random } from "./random.ts";
import { judge, stories, tell } from "./report.ts";
import { type Stage, setStage } from "./stage.ts";
import { takeDown } from "./take-down.ts";

export interface ChaosOptions {
  readonly kills: number;
  /** Share of the calls of AWS that are struck. */
  readonly faults: number;
  readonly seed: number;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

export interface ChaosOutcome {
  readonly kills: number;
  readonly operations: number;
  readonly violations: readonly Violation[];
}

// Three keep both workers busy; with more, more of them wait for a killed worker's lease at the same time.
const fewestPipelines = 3;
const mostPipelines = 6;
const killsPerPipeline = 8;
// A moment that no operation comes to in time costs a try, and no kill.
const triesPerKill = 4;
const usedMs = 20_000;

/** Plays once; throws only when it could not be played to its end. */
export async function runChaos(options: ChaosOptions): Promise<ChaosOutcome> {
  const folder = await mkdtemp(join(tmpdir(), "aidlc-chaos-"));
  const cluster = await prepareCluster(folder, options.environment);
  const pool = openPool(cluster.databaseUrl, 6);
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  let approving: Promise<void> | undefined;
  let isWhole = false;
  try {
    const pipelines = Math.min(
      mostPipelines,
      Math.max(fewestPipelines, Math.ceil(options.kills / killsPerPipeline)),
    );
    const stage = await setStage(cluster, pool, { signal, print: options.print, pipelines });
    approving = approveAll(pool, stage.approvers, signal);
    const outcome = await play(stage, options);
    isWhole = outcome.violations.length === 0;
    return outcome;
  } finally {
    over.abort();
    await approving;
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    await endProcesses(cluster);
    await pool.end();
    await cluster.stopDatabase();
    if (isWhole || options.signal.aborted) await rm(folder, { recursive: true, force: true });
    else options.print(`logs, states and database are kept in ${folder}`);
  }
}

async function play(stage: Stage, options: ChaosOptions): Promise<ChaosOutcome> {
  const { cluster, pool, requests, crowd, print, signal } = stage;
  await orderFaults(requests, options.faults);
  const kills = await killWhileUsed(stage, options);
  await endFaults(requests);
  print(`${kills} kills; waiting until nothing runs`);
  await becomeQuiet(stage);
  const violations = judge(await readFacts(cluster, pool, requests, crowd.acknowledged), print);
  print("completing, checking and deleting every pipeline");
  violations.push(...tell("every pipeline can be completed and deleted", await takeDown(stage), print));
  await becomeQuiet(stage);
  const left = await readFacts(cluster, pool, requests, crowd.acknowledged);
  violations.push(
    ...judge(left, print),
    ...tell("nothing of a pipeline is left", nothingIsLeftOfPipelines(left), print),
  );
  for (const line of await stories(pool, violations)) print(line);
  await Promise.all(cluster.nodes.map((node) => node.stop()));
  signal.throwIfAborted();
  violations.push(...(await leftOnMachine(cluster, print)));
  return { kills, operations: left.operations.length, violations: distinct(violations) };
}

/** Lets everybody ask and kills meanwhile; returns how many were killed. */
async function killWhileUsed(stage: Stage, { kills, seed }: ChaosOptions): Promise<number> {
  const { cluster, pool, crowd, tenants, signal, print } = stage;
  const random = new Random(seed);
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const watch = new OperationWatch(pool, until);
  const following = watch.follow();
  watch.watchStates(cluster.stateFolder);
  const killer = new Killer(cluster, watch, print);
  const users = tenants.map((tenant) =>
    useTenant(crowd, tenant, random.fork(`${tenant.team}/${tenant.pipeline}`), until),
  );
  try {
    const struck = await strikeAll(killer, random.fork("kills"), kills, until);
    if (kills === 0) await watch.until(() => false, usedMs);
    await killer.settled();
    return struck;
  } finally {
    over.abort();
    await Promise.allSettled([following, ...users]);
  }
}

async function strikeAll(
  killer: Killer,
  random: Random,
  kills: number,
  signal: AbortSignal,
): Promise<number> {
  const plan = [...drawKills(random, kills)];
  let struck = 0;
  for (let tries = 0; tries < kills * triesPerKill && plan.length > 0; tries += 1) {
    signal.throwIfAborted();
    const [kill] = plan.splice(0, 1);
    if (kill === undefined) break;
    if (await killer.strike(kill)) struck += 1;
    // Its moment didn't come: it is somebody else's turn first.
    else plan.push(kill);
  }
  return struck;
}

async function leftOnMachine(cluster: Cluster, print: (line: string) => void): Promise<Violation[]> {
  const machine = await readMachine(cluster);
  return [
    ...tell("no process is left after the nodes", noProcessIsLeft(machine), print),
    ...tell("no temporary file is left after the nodes", noTemporaryFileIsLeft(machine), print),
  ];
}

function distinct(violations: readonly Violation[]): Violation[] {
  return [...new Map(violations.map((violation) => [violation.text, violation])).values()];
}
