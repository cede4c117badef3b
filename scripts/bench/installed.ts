import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "../../src/postgres/embedded.ts";
import { Client } from "../service/client.ts";
import { ServiceProcess } from "../service/service-process.ts";

/** A service of the bench's own that answers, on a database of its own. */
export interface Installed {
  readonly url: string;
  /** An administrator's key. */
  readonly token: string;
  readonly client: Client;
  readonly databaseUrl: string;
  /** The service's data folder. */
  readonly folder: string;
  /** Of the service's process. */
  readonly pid: number;
}

/** Starts the service with `settings`, hands it to `work`, and leaves nothing behind. */
export function withInstalled<T>(
  environment: NodeJS.ProcessEnv,
  settings: Readonly<Record<string, string>>,
  work: (installed: Installed) => Promise<T>,
): Promise<T> {
  return withDatabaseServer((databaseUrl) => withService(environment, settings, databaseUrl, work));
}

/** Hands a PostgreSQL server of its own to `work`, and leaves nothing of it behind. */
export async function withDatabaseServer<T>(work: (databaseUrl: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "aidlc-bench-"));
  const server = await startEmbeddedPostgres(join(folder, "postgres"));
  try {
    return await work(server.url);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts the service with `settings` on a database, hands it to `work`, and leaves nothing behind. */
export async function withService<T>(
  environment: NodeJS.ProcessEnv,
  settings: Readonly<Record<string, string>>,
  databaseUrl: string,
  work: (installed: Installed) => Promise<T>,
): Promise<T> {
  const service = await ServiceProcess.start(environment, { ...settings, DATABASE_URL: databaseUrl });
  const { signal } = new AbortController();
  try {
    const url = await service.ready(signal);
    const { token, folder, pid } = service;
    const client = new Client({ url, token, signal, onCall: () => {} });
    return await work({ url, token, client, databaseUrl, folder, pid });
  } finally {
    await service.stop();
  }
}
