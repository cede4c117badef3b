import pg from "pg";

/**
 * Holds a node's name for this process until the returned function is called; a second service with the same data folder
 * throws here instead of settling operations that the first one is running.
 */
export async function holdNode(databaseUrl: string, node: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: "aidlc-node" });
  // Losing the connection loses the name, which only matters to a second service; the first one's work goes on.
  client.on("error", () => {});
  await client.connect();
  const tried = await client.query<{ held: boolean }>(
    "select pg_try_advisory_lock(hashtextextended($1, 0)) as held",
    [`node ${node}`],
  );
  if (!tried.rows[0]?.held) {
    await client.end();
    throw new Error(
      "Another service runs with this data folder: stop it, or give this one a folder by AIDLC_DATA_DIR",
    );
  }
  return () => client.end();
}
