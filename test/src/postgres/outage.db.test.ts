import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { expect, it, vi } from "vitest";
import { startEmbeddedPostgres } from "../../../src/postgres/embedded.ts";
import { tellOutages } from "../../../src/postgres/outage.ts";
import { openPool } from "../../../src/postgres/pool.ts";
import { openQueue } from "../../../src/queue/queue.ts";

const timeoutMs = 60_000;

it(
  "a queue whose server is killed leaves a warning in the log, and a line when it is back",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "aidlc-outage-"));
    // A server of its own: the other files share one.
    const server = await startEmbeddedPostgres(folder);
    const pool = openPool(server.url);
    const lines: { level: number; msg: string }[] = [];
    const log = pino({ level: "info" }, { write: (line) => void lines.push(JSON.parse(line)) });
    tellOutages(pool, log);
    const queue = await openQueue(server.url, pool, log);
    try {
      const [pid] = (await readFile(join(folder, "data", "postmaster.pid"), "utf8")).split("\n");
      process.kill(Number(pid), "SIGKILL");
      await vi.waitFor(() => expect(lines.at(-1)?.msg).toBe("the database is back"), {
        timeout: timeoutMs - 10_000,
      });
      expect(lines.map(({ level }) => level)).toEqual([40, 30]);
    } finally {
      await queue.stop(1_000);
      await pool.end();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
  timeoutMs,
);
