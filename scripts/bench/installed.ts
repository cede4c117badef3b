import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "../../src/postgres/embedded.ts";
import { Client } from "../service/client.ts";
import { ServiceProcess } from "../service/service-process.ts";

/** A service of the bench's own that answers, on a database of its own. */
export interface Installed {
  readonly client: Client;
  readonly databaseUrl: string;
  /** The service's data folder. */
  readonly folder: string;
}

/** Starts the service with `settings`, hands it to `work`, and leaves nothing behind. */
export async function withInstalled<T>(
  environment: NodeJS.ProcessEnv,
  settings: Readonly<Record<string, string>>,
  work: (installed: Installed) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "aidlc-bench-"));
  const server = await startEmbeddedPostgres(join(folder, "postgres"));
  const service = await ServiceProcess.start(environment, { ...settings, DATABASE_URL: server.url });
  const { signal } = new AbortController();
  try {
    const url = await service.ready(signal);
    const client = new Client({ url, token: service.token, signal, onCall: () => {} });
    return await work({ client, databaseUrl: server.url, folder: service.folder });
  } finally {
    await service.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
