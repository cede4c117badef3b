import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startEmbeddedPostgres } from "../../src/postgres/embedded.ts";
import { ServiceNode } from "./service-node.ts";

/** One api and two workers on one database and one backend, all in one folder. */
export interface Cluster {
  readonly folder: string;
  readonly databaseUrl: string;
  readonly stateFolder: string;
  /** What the nodes take for the machine's folder of temporary files; nothing else writes there. */
  readonly temporaryFolder: string;
  readonly api: ServiceNode;
  readonly workers: readonly ServiceNode[];
  readonly nodes: readonly ServiceNode[];
  readonly bootstrapToken: string;
  stopDatabase(): Promise<void>;
}

const operationsPerWorker = 2;
// Half of what it is otherwise: whoever is killed is missed sooner.
const leaseSeconds = 15;

/** Starts PostgreSQL in `folder` and prepares the nodes, which whoever calls this starts, first the api. */
export async function prepareCluster(folder: string, environment: NodeJS.ProcessEnv): Promise<Cluster> {
  const [stateFolder, temporaryFolder, home] = ["state", "tmp", "home"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const made of [stateFolder, temporaryFolder, home]) await mkdir(made, { mode: 0o700 });
  const server = await startEmbeddedPostgres(join(folder, "postgres"));
  const bootstrapToken = randomBytes(24).toString("base64url");
  const settings = {
    PATH: environment.PATH,
    HOME: home,
    TMPDIR: temporaryFolder,
    DATABASE_URL: server.url,
    PULUMI_BACKEND_URL: `file://${stateFolder}`,
    AIDLC_TARGET: "sandbox",
    AIDLC_STATE_PASSPHRASE: randomBytes(24).toString("base64url"),
    AIDLC_BOOTSTRAP_TOKEN: bootstrapToken,
    AIDLC_CONCURRENCY: String(operationsPerWorker),
    AIDLC_LEASE_SECONDS: String(leaseSeconds),
    AIDLC_RATE_LIMIT_PER_MINUTE: "100000",
    AIDLC_TEAM_MAX_OPERATIONS_PER_DAY: "100000",
  };
  const node = (name: string, role: "api" | "worker") =>
    new ServiceNode({ name, role, folder: join(folder, name), environment: settings });
  const api = node("api", "api");
  const workers = [node("worker-1", "worker"), node("worker-2", "worker")];
  return {
    folder,
    databaseUrl: server.url,
    stateFolder,
    temporaryFolder,
    api,
    workers,
    nodes: [api, ...workers],
    bootstrapToken,
    stopDatabase: () => server.stop(),
  };
}
