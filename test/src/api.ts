import { randomUUID } from "node:crypto";
import { Writable } from "node:stream";
import pino from "pino";
import { type Identities, openIdentities } from "../../src/access/identities.ts";
import { digestOfKey, newKey } from "../../src/access/key-format.ts";
import type { OidcConfig } from "../../src/access/oidc.ts";
import type { PlatformRole, TeamRole } from "../../src/access/principal.ts";
import type { FoundationSettings } from "../../src/accounts/settings.ts";
import { type AppOptions, buildApp } from "../../src/app.ts";
import { AuditTrail } from "../../src/audit/trail.ts";
import type { App } from "../../src/http/app-types.ts";
import { limitsFor, type RequestLimits } from "../../src/http/limits.ts";
import type { Ingestor, IngestorOptions } from "../../src/ingestion/ingestor.ts";
import { createMetrics } from "../../src/metrics.ts";
import { OperationFeed } from "../../src/operations/feed.ts";
import { GuardedClient } from "../../src/outgoing/guarded-client.ts";
import { WebhookSecrets } from "../../src/webhooks/secrets.ts";
import { awsAccount, type Document, foundationOutputs, uniqueName } from "../support/builders.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

/** The key of every test's administrator. */
export const adminToken = `aidlc_000000000000_${"A".repeat(43)}`;
export const bootstrapToken = "test-bootstrap-token";
export const internalToken = "test-internal-token";
export const auditSecret = "a passphrase of the tests";

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

export interface Roles {
  readonly platform?: readonly PlatformRole[];
  readonly teams?: Readonly<Record<string, readonly TeamRole[]>>;
}

/** Somebody who sends requests with a key of their own. */
export interface Caller {
  /** `key:` and the id of their key. */
  readonly subject: string;
  readonly token: string;
  send(method: string, url: string, options?: RequestOptions): Promise<Answer>;
}

export interface Api {
  readonly app: App;
  readonly identities: Identities;
  readonly database: TestDatabase;
  readonly webhooks: AppOptions["webhooks"];
  readonly audit: AuditTrail;
  /** What the service logged, line by line. */
  readonly logged: readonly Document[];
  /** Aborts what the service's shutdown aborts. */
  readonly closing: AbortController;
  /** Operations that this node was told to stop. */
  readonly cancelled: readonly string[];
  /** A request by the administrator. */
  send(method: string, url: string, options?: RequestOptions): Promise<Answer>;
  /** Somebody with these roles; without any, nobody's member. Each call makes another. */
  as(roles: Roles): Promise<Caller>;
  /** A team with a provisioned account `main`; the engine's part is played by SQL. */
  teamWithAccount(): Promise<string>;
  /** Until so many statements of the database wait for a lock, or `instead` has come to an end. */
  waitForLocks(count: number, instead?: Promise<unknown>): Promise<void>;
  /** Marks the account's foundation as provisioned, as a successful update does. */
  provision(team: string, account: string): Promise<void>;
  close(): Promise<void>;
}

/** The real application on a database of its own; nothing works on the queue, so operations stay queued. */
export async function startApi({
  oidc,
  limits = {},
  trustedProxies = [],
  localWebhooks = false,
  ingestor,
}: {
  readonly oidc?: OidcConfig;
  /** What differs from limits that no test comes near. */
  readonly limits?: Partial<RequestLimits>;
  readonly trustedProxies?: readonly string[];
  readonly localWebhooks?: boolean;
  /** Takes files for pipelines, as a service with the sandbox does. */
  readonly ingestor?: (surroundings: Pick<IngestorOptions, "pool" | "audit" | "log">) => Ingestor;
} = {}): Promise<Api> {
  const database = await createTestDatabase();
  const logged: Document[] = [];
  const sink = new Writable({
    write: (line, _encoding, done) => {
      logged.push(JSON.parse(String(line)));
      done();
    },
  });
  const feed = new OperationFeed(database.url, (error) => logged.push({ feed: error.message }));
  await feed.start();
  const audit = new AuditTrail(auditSecret);
  const closing = new AbortController();
  const cancelled: string[] = [];
  feed.onCancel((id) => cancelled.push(id));
  const log = pino({ level: "info" }, sink);
  const identities = openIdentities({ pool: database.pool, oidc, bootstrapToken, internalToken, log });
  const webhooks = {
    client: new GuardedClient({ allowLocal: localWebhooks }),
    secrets: new WebhookSecrets(auditSecret),
  };
  const app = await buildApp({
    pool: database.pool,
    audit,
    feed,
    sageMaker: () => {
      throw new Error("No test here asks SageMaker");
    },
    webhooks,
    metrics: createMetrics(database.pool),
    identities,
    role: "all",
    unready: () => undefined,
    sandbox: true,
    ingestor: ingestor?.({ pool: database.pool, audit, log }),
    limits: { ...limitsFor(1_000_000), eventLoopDelayMs: Number.POSITIVE_INFINITY, ...limits },
    trustedProxies,
    enforcedPolicies: [],
    closing: closing.signal,
    log,
  });
  await app.ready();

  const sendWith = async (
    token: string,
    method: string,
    url: string,
    { headers = {}, body }: RequestOptions = {},
  ): Promise<Answer> => {
    const text = typeof body === "string";
    const answer = await app.inject({
      method: method as "GET",
      url,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined || text ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: text ? body : JSON.stringify(body) }),
    });
    const isJson = /(?<!nd)json/.test(String(answer.headers["content-type"]));
    return { status: answer.statusCode, headers: answer.headers, body: isJson ? answer.json() : answer.body };
  };

  const send = (method: string, url: string, options?: RequestOptions) =>
    sendWith(adminToken, method, url, options);

  const addKey = async (token: string, { platform = [], teams = {} }: Roles): Promise<Caller> => {
    const id = randomUUID();
    await database.pool.query(
      `insert into api_keys (id, prefix, digest, name, created_by, expires_at)
       values ($1::uuid, $2, $3, 'a test', 'user:maker-of-' || $1::uuid, now() + interval '1 day')`,
      [id, token.split("_")[1], digestOfKey(token)],
    );
    for (const [team, roles] of [[null, platform] as const, ...Object.entries(teams)]) {
      if (roles.length === 0) continue;
      await database.pool.query(
        "insert into grants (subject, team, roles, granted_by) values ($1, $2, $3, 'key:test')",
        [`key:${id}`, team, roles],
      );
    }
    return {
      subject: `key:${id}`,
      token,
      send: (method, url, options) => sendWith(token, method, url, options),
    };
  };
  await addKey(adminToken, { platform: ["admin"] });

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
    identities,
    database,
    webhooks,
    audit,
    logged,
    closing,
    cancelled,
    send,
    as: (roles) => addKey(newKey().text, roles),
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
      await webhooks.client.close();
      await database.drop();
    },
  };
}
