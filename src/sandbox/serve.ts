import { openPool } from "../postgres/pool.ts";
import { Connections } from "./connections.ts";
import { FaultInjector } from "./faults.ts";
import { Lifecycle } from "./lifecycle.ts";
import { providerServer } from "./provider.ts";
import { Schema } from "./schema.ts";
import { ResourceStore } from "./store.ts";

export interface ServedProvider {
  readonly port: number;
  /** Takes no further engine and resolves when those that are attached have gone. */
  drained(): Promise<void>;
  close(): Promise<void>;
}

/** Serves the provider on a free port of loopback. The database must have been migrated. */
export async function serveProvider(databaseUrl: string): Promise<ServedProvider> {
  const pool = openPool(databaseUrl, 8);
  // A connection that breaks while it is idle; the next query opens another.
  pool.on("error", (error) => process.stderr.write(`sandbox database connection: ${error.message}\n`));
  const schema = new Schema();
  const faults = new FaultInjector(pool);
  const connections = new Connections();
  const lifecycle = new Lifecycle(pool, schema, faults);
  const server = providerServer({ schema, lifecycle, store: new ResourceStore(pool), connections });
  const { port, drained, close } = await connections.serve(server);
  // Not awaited: an engine that waits for the port needn't wait for the database too.
  faults.listen().catch((error: Error) => process.stderr.write(`sandbox faults: ${error.message}\n`));
  return {
    port,
    drained,
    close: async () => {
      close();
      faults.close();
      await pool.end();
    },
  };
}
