import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openPool } from "../../../src/postgres/pool.ts";
import { median, rounded, timed } from "../figures.ts";
import { type Installed, withDatabaseServer, withService } from "../installed.ts";
import type { BareAnswers } from "./bare-route.ts";
import { databaseMs } from "./database-time.ts";
import { type Endpoint, endpoints, lists, readersOf } from "./endpoints.ts";
import { type Load, type Reader, underLoad } from "./load.ts";
import { eventsPerPipeline, seedFleet, type TeamKey } from "./seed.ts";

export interface ReadsPlan {
  /** Of the large fleet; the small one has one. */
  readonly teams: number;
  readonly rounds: number;
  /** For each endpoint of each server in each round. */
  readonly seconds: number;
}

const connections = 64;
const pipelinesPerTeam = 100;
// The most that can be configured: the limits are not what is measured here.
const settings = { AIDLC_RATE_LIMIT_PER_MINUTE: "1000000" };

interface Fleet extends Installed {
  readonly keys: readonly TeamKey[];
}

type Loads = Record<Endpoint, { readonly small: Load[]; readonly large: Load[]; readonly bare: Load[] }>;

/**
 * Lists and status under 64 connections, each with a key and questions of its own: of a small fleet, of a large one, and of a bare
 * route that answers what the large fleet's service answered. The three take turns; figures are medians of the rounds.
 */
export function benchReads(environment: NodeJS.ProcessEnv, print: (line: string) => void, plan: ReadsPlan) {
  return withDatabaseServer(async (serverUrl) => {
    const withFleet = async <T>(name: string, teams: number, work: (fleet: Fleet) => Promise<T>) => {
      const databaseUrl = await createDatabase(serverUrl, name);
      return withService(environment, settings, databaseUrl, async (installed) => {
        let keys: readonly TeamKey[] = [];
        const ms = await timed(async () => {
          keys = await seedFleet(databaseUrl, { teams, pipelinesPerTeam }, connections);
        });
        const pipelines = teams * pipelinesPerTeam;
        print(
          `reads: ${pipelines} pipelines and ${pipelines * eventsPerPipeline} events are there (${ms} ms)`,
        );
        return work({ ...installed, keys });
      });
    };
    return withFleet("small", 1, (small) =>
      withFleet("large", plan.teams, (large) => compare(environment, print, plan, small, large)),
    );
  });
}

async function compare(
  environment: NodeJS.ProcessEnv,
  print: (line: string) => void,
  plan: ReadsPlan,
  small: Fleet,
  large: Fleet,
) {
  const loads: Loads = {
    pipelines: { small: [], large: [], bare: [] },
    operations: { small: [], large: [], bare: [] },
    status: { small: [], large: [], bare: [] },
  };
  const databaseMsPerRequest: Partial<Record<Endpoint, number>> = {};
  for (const endpoint of endpoints) {
    const readers = readersOf(endpoint, large.keys, pipelinesPerTeam);
    const smallReaders = readersOf(endpoint, small.keys, pipelinesPerTeam);
    await withBareRoute(environment, await answersOf(large.url, readers), async (bareUrl) => {
      // The first round warms caches and compilers and isn't counted.
      for (let round = 0; round <= plan.rounds; round += 1) {
        const ofSmall = await underLoad(small.url, smallReaders, plan.seconds);
        const ofLarge = await underLoad(large.url, readers, plan.seconds);
        const ofBare = await underLoad(bareUrl, readers, plan.seconds);
        if (round === 0) continue;
        loads[endpoint].small.push(ofSmall);
        loads[endpoint].large.push(ofLarge);
        loads[endpoint].bare.push(ofBare);
      }
    });
    databaseMsPerRequest[endpoint] = await databaseMsOf(large, readers, plan.seconds);
    print(
      `${endpoint}: ${described(loads, endpoint)}, ${databaseMsPerRequest[endpoint]} ms of database each`,
    );
  }
  const throughputRatio = Math.min(...endpoints.map((endpoint) => throughputRatioOf(loads, endpoint)));
  const listP99Growth = Math.max(...lists.map((endpoint) => p99GrowthOf(loads, endpoint)));
  print(`reads: ${throughputRatio} of the bare route's throughput (target at least 0.25)`);
  print(`reads: p99 of lists grew ${listP99Growth}-fold (target at most 2)`);
  return { throughputRatio, listP99Growth, raw: { loads, databaseMsPerRequest } };
}

function throughputRatioOf(loads: Loads, endpoint: Endpoint): number {
  const { large, bare } = loads[endpoint];
  return rounded(middle(large, "requestsPerSecond") / middle(bare, "requestsPerSecond"));
}

function p99GrowthOf(loads: Loads, endpoint: Endpoint): number {
  const { small, large } = loads[endpoint];
  return rounded(middle(large, "p99Ms") / middle(small, "p99Ms"));
}

function middle(loads: readonly Load[], figure: keyof Load): number {
  return median(loads.map((load) => load[figure]));
}

function described(loads: Loads, endpoint: Endpoint): string {
  const { small, large, bare } = loads[endpoint];
  const line = (of: readonly Load[]) =>
    `${middle(of, "requestsPerSecond")}/s p50 ${rounded(middle(of, "p50Ms"))} ms p99 ${rounded(middle(of, "p99Ms"))} ms`;
  return `large fleet ${line(large)}, small fleet ${line(small)}, bare route ${line(bare)}`;
}

async function databaseMsOf(fleet: Fleet, readers: readonly Reader[], seconds: number): Promise<number> {
  let requests = 0;
  const ms = await databaseMs(fleet.databaseUrl, async () => {
    requests = (await underLoad(fleet.url, readers, seconds)).requestsPerSecond * seconds;
  });
  return rounded(ms / requests);
}

/** What the service answers to everything that the readers ask. */
async function answersOf(url: string, readers: readonly Reader[]): Promise<BareAnswers> {
  const bodies: Record<string, string> = {};
  let type = "";
  for (const { token, paths } of readers) {
    for (const path of paths.filter((one) => bodies[one] === undefined)) {
      const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
      if (!answer.ok)
        throw new Error(`GET ${path} was answered with ${answer.status}: ${await answer.text()}`);
      type = answer.headers.get("content-type") ?? "";
      bodies[path] = await answer.text();
    }
  }
  return { type, bodies };
}

async function withBareRoute(
  environment: NodeJS.ProcessEnv,
  answers: BareAnswers,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const child = spawn(process.execPath, [fileURLToPath(new URL("./bare-route.ts", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: environment.PATH },
  });
  const exited = once(child, "exit");
  try {
    child.stdin.end(JSON.stringify(answers));
    const failed = exited.then(() => {
      throw new Error("The bare route ended before it answered");
    });
    const [url] = await Promise.race([once(createInterface({ input: child.stdout }), "line"), failed]);
    failed.catch(() => {});
    await work(url as string);
  } finally {
    child.kill();
    await exited;
  }
}

async function createDatabase(serverUrl: string, name: string): Promise<string> {
  const pool = openPool(serverUrl, 1);
  await pool.query(`create database ${name}`);
  await pool.end();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
