import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { isUnavailable } from "./unavailable.ts";

const retryMs = 1_000;

/**
 * Holds a node's name for this process until the returned function is called; a second service with the same data folder
 * throws here instead of settling operations that the first one is running. A connection that breaks is opened again: until
 * then `onError` tells.
 */
export async function holdNode(
  databaseUrl: string,
  node: string,
  onError: (error: Error) => void,
): Promise<() => Promise<void>> {
  let released = false;
  let client = await lockedClient(databaseUrl, node, onError).catch((cause: unknown) => {
    if (!isUnavailable(cause) && (cause as NodeJS.ErrnoException).code !== "ENOTFOUND") throw cause;
    throw new Error(`The database at ${new URL(databaseUrl).host} can't be reached: check DATABASE_URL`, {
      cause,
    });
  });
  const hold = () => client.once("end", () => void again());
  const again = async () => {
    while (!released) {
      try {
        client = await lockedClient(databaseUrl, node, onError);
        hold();
        return;
      } catch (error) {
        onError(error as Error);
        await sleep(retryMs);
      }
    }
  };
  hold();
  return async () => {
    released = true;
    await client.end();
  };
}

async function lockedClient(
  databaseUrl: string,
  node: string,
  onError: (error: Error) => void,
): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: "aidlc-node" });
  client.on("error", onError);
  await client.connect();
  const tried = await client.query<{ held: boolean }>(
    "select pg_try_advisory_lock(hashtextextended($1, 0)) as held",
    [`node ${node}`],
  );
  if (tried.rows[0]?.held) return client;
  await client.end();
  throw new Error(
    "Another service runs with this data folder: stop it, or give this one a folder by AIDLC_DATA_DIR",
  );
}
