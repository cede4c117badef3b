import { Writable } from "node:stream";
import pino from "pino";
import type { FoundationSettings } from "../../src/accounts/settings.ts";
import { buildApp } from "../../src/app.ts";
import type { App } from "../../src/http/app-types.ts";
import { createMetrics } from "../../src/metrics.ts";
import { OperationFeed } from "../../src/operations/feed.ts";
import { openQueue, type Queue } from "../../src/queue/queue.ts";
import { awsAccount, type Document, foundationOutputs, uniqueName } from "../support/builders.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

export const adminToken = "test-administrator-token";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Document;
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON; text is sent as it is, with the content type of `headers`. */
  readonly body?: unknown;
}

export interface Api {
  readonly app: App;
  readonly database: TestDatabase;
  readonly queue: Queue;
  /** What the service logged, line by line. */
  readonly logged: readonly Document[];
  /** Aborts what the service's shutdown aborts. */
  readonly closing: AbortController;
  readonly cancelled: readonly string[];
  /** A request by the administrator. */
  send(method: string, url: string, options?: RequestOptions): Promise<Answer>;
  /** A team with a provisioned account `main`; the engine's part is played by SQL. */
  teamWithAccount(): Promise<string>;
  /** Until so many statements of the database wait for a lock, or `instead` has come to an end. */
  waitForLocks(count: number, instead?: Promise<unknown>): Promise<void>;
  /** Marks the account's foundation as provisioned, as a successful update does. */
  provision(team: string, account: string): Promise<void>;
  close(): Promise<void>;
}

/** The real application on a database and a queue of its own; nothing works on the queue, so operations stay queued. */
export async function startApi(): Promise<Api> {
  const database = await createTestDatabase();
  const logged: Document[] = [];
  const sink = new Writable({
    write: (line, _encoding, done) => {
      logged.push(JSON.parse(String(line)));
      done();
    },
  });
  const queue = await openQueue(database.url, (error) => logged.push({ queue: error.message }));
  const feed = new OperationFeed(database.url, (error) => logged.push({ feed: error.message }));
  await feed.start();
  const closing = new AbortController();
  const cancelled: string[] = [];
  const app = await buildApp({
    pool: database.pool,
    queue,
    feed,
    sageMaker: () => {
      throw new Error("No test here asks SageMaker");
    },
    metrics: createMetrics(database.pool),
    adminToken,
    sandbox: true,
    enforcedPolicies: [],
    cancelHere: (id) => cancelled.push(id),
    closing: closing.signal,
    log: pino({ level: "info" }, sink),
  });
  await app.ready();

  const send = async (method: string, url: string, { headers = {}, body }: RequestOptions = {}) => {
    const text = typeof body === "string";
    const answer = await app.inject({
      method: method as "GET",
      url,
      headers: {
        authorization: `Bearer ${adminToken}`,
        ...(body === undefined || text ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: text ? body : JSON.stringify(body) }),
    });
    const isJson = /json/.test(String(answer.headers["content-type"]));
    return { status: answer.statusCode, headers: answer.headers, body: isJson ? answer.json() : answer.body };
  };

  const provision = async (team: string, account: string) => {
    const found = await database.pool.query<{
      stack_id: string;
      aws_account_id: string;
      region: string;
      settings: FoundationSettings;
    }>(
      `select f.stack_id, a.aws_account_id, a.region, f.settings from accounts a join foundations f using (aws_account_id, region)
       where a.team = $1 and a.name = $2`,
      [team, account],
    );
    const row = found.rows[0];
    if (!row) throw new Error(`Team ${team} has no account ${account}`);
    await database.pool.query("update foundations set ready = true where stack_id = $1", [row.stack_id]);
    await database.pool.query(
      "update stacks set initialized = true, outputs = $2, outputs_recorded_at = now() where id = $1",
      [row.stack_id, JSON.stringify(foundationOutputs(row.aws_account_id, row.region, row.settings.profile))],
    );
    await database.pool.query(
      "update operations set state = 'succeeded', started_at = now(), finished_at = now() where stack_id = $1 and state = 'queued'",
      [row.stack_id],
    );
  };

  return {
    app,
    database,
    queue,
    logged,
    closing,
    cancelled,
    send,
    provision,
    waitForLocks: async (count, instead) => {
      let ended = false;
      void instead?.finally(() => {
        ended = true;
      });
      while (!ended) {
        const found = await database.pool.query<{ count: number }>(
          "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
        );
        if ((found.rows[0]?.count ?? 0) >= count) return;
      }
    },
    teamWithAccount: async () => {
      const team = uniqueName("team");
      await send("POST", "/v1/teams", { body: { name: team } });
      await send("PUT", `/v1/teams/${team}/accounts/main`, { body: awsAccount() });
      await provision(team, "main");
      return team;
    },
    close: async () => {
      closing.abort();
      await app.close();
      await feed.close();
      await queue.stop(1_000);
      await database.drop();
    },
  };
}
