import { randomBytes } from "node:crypto";
import { availableParallelism, hostname } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import { provideAdministrator } from "./access/administrator.ts";
import { openIdentities } from "./access/identities.ts";
import { buildApp } from "./app.ts";
import { reviewApprovals } from "./approvals/expiry.ts";
import { AuditTrail } from "./audit/trail.ts";
import { awsTaggingClients, sandboxTaggingClients } from "./aws/tagged-resources.ts";
import type { Config } from "./config.ts";
import { digestOf } from "./digest.ts";
import { cloudTrailClients } from "./drift/change-records.ts";
import { watchDrift } from "./drift/periodic.ts";
import { hostId } from "./engine/host.ts";
import type { App } from "./http/app-types.ts";
import { limitsFor } from "./http/limits.ts";
import { forgetOldRequests } from "./idempotency/store.ts";
import { Ingestor } from "./ingestion/ingestor.ts";
import { validateApart } from "./ingestion/validator.ts";
import { createMetrics } from "./metrics.ts";
import { joinNodes } from "./nodes/presence.ts";
import { type NodeRecord, serves, works } from "./nodes/store.ts";
import { OperationFeed } from "./operations/feed.ts";
import { sweepOrphans } from "./orphans/sweep.ts";
import { GuardedClient } from "./outgoing/guarded-client.ts";
import { expirePipelines } from "./pipelines/expiry-task.ts";
import { awsSageMakerClients, sandboxSageMakerClients } from "./pipelines/sagemaker-clients.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./postgres/embedded.ts";
import { migrate } from "./postgres/migrations.ts";
import { holdNode } from "./postgres/node-lock.ts";
import { isToldAsOutage, tellOutages } from "./postgres/outage.ts";
import { openPool } from "./postgres/pool.ts";
import { openQueue } from "./queue/queue.ts";
import { setDefaultLimits } from "./teams/quotas.ts";
import { version } from "./version.ts";
import { forgetOldDeliveries } from "./webhooks/attempts.ts";
import { WebhookDeliverer } from "./webhooks/deliverer.ts";
import { WebhookSecrets } from "./webhooks/secrets.ts";
import { prepareWork } from "./work.ts";

// What more of them would do at once only waits for the processors that answer (the embedded server shares this node's): with 6
// instead of 20 on two cores the database takes a third less for each list, and the slowest lists half as long.
const connections = Math.max(10, 4 * availableParallelism());

export interface Service {
  /** Where it listens, such as http://127.0.0.1:8080. */
  readonly url: string;
  readonly databaseUrl: string;
  /** Stops taking requests and jobs, lets running operations end for `graceMs`, then asks them to stop; idempotent. */
  close(graceMs?: number): Promise<void>;
}

const defaultGraceMs = 20_000;

/** Starts a node: what its role needs of database, queue, engine and HTTP. */
export async function startService(config: Config, log: Logger): Promise<Service> {
  const closers: (() => Promise<unknown>)[] = [];
  const closing = new AbortController();
  const closeAll = async () => {
    // The last opened is the first to close; one that fails must not keep the others open.
    for (const close of closers.splice(0).reverse()) {
      await close().catch((error: unknown) =>
        log.error({ err: error }, "a part of the service could not be closed"),
      );
    }
  };
  try {
    const server =
      config.databaseUrl === undefined
        ? await startEmbeddedPostgres(join(config.dataDir, "postgres"), (event) => log.warn(event))
        : undefined;
    const databaseUrl = config.databaseUrl ?? (server as EmbeddedPostgres).url;
    // It connects to nothing before it is asked.
    const pool = openPool(databaseUrl, connections);
    tellOutages(pool, log);
    const unlessAway = (level: "warn" | "error", message: string) => (error: Error) => {
      if (!isToldAsOutage(pool, error)) log[level]({ err: error }, message);
    };
    // Before the server's end becomes ours to decide: when another service has the name, the server is that one's.
    const release = await holdNode(databaseUrl, config.node, unlessAway("error", "the name of this node"));
    if (server) closers.push(() => server.stop());
    closers.push(release);
    pool.on("error", unlessAway("warn", "an idle database connection was lost"));
    closers.push(() => pool.end());
    await migrate(pool);
    const leave = await joinNodes(pool, recordOf(config), config.statePassphrase, log);
    closers.push(leave);
    const audit = new AuditTrail(config.statePassphrase);
    const { bootstrapToken, oidc } = config;
    if (serves(config.role)) {
      await setDefaultLimits(pool, config.teamLimits, config.accountOperationsAtOnce);
      await provideAdministrator({
        pool,
        audit,
        dataDir: config.dataDir,
        bootstrapToken,
        issuer: oidc?.issuer,
        log,
      });
    }
    // By which the service passes its own door to the sandbox; nobody else ever learns it.
    const internalToken = randomBytes(32).toString("base64url");
    const identities = openIdentities({ pool, oidc, bootstrapToken, internalToken, log });

    const queue = await openQueue(databaseUrl, pool, log);
    const feed = new OperationFeed(databaseUrl, unlessAway("warn", "notifications"));
    closers.push(() => queue.stop(0));
    await feed.start();
    closers.push(() => feed.close());

    let url = "";
    const metrics = createMetrics(pool);
    const work = works(config.role)
      ? await prepareWork({
          config,
          databaseUrl,
          pool,
          audit,
          feed,
          metrics,
          internalToken,
          ownUrl: () => url,
          log,
        })
      : undefined;
    if (work) closers.push(() => work.close());

    const webhooks = {
      client: new GuardedClient({ allowLocal: config.localWebhooks }),
      secrets: new WebhookSecrets(config.statePassphrase),
    };
    closers.push(() => webhooks.client.close());
    const deliverer = new WebhookDeliverer({ pool, audit, log, ...webhooks });
    closers.push(() => deliverer.close());
    deliverer.start();
    await queue.every("forget-old-requests-and-deliveries", "17 * * * *", async () => {
      await forgetOldRequests(pool);
      await forgetOldDeliveries(pool);
    });

    const ingestor =
      config.target === "sandbox" && serves(config.role)
        ? new Ingestor({ pool, audit, dataDir: config.dataDir, log, validate: validateApart })
        : undefined;
    if (ingestor) closers.push(() => ingestor.close());
    const app = await buildApp({
      role: config.role,
      pool,
      audit,
      feed,
      metrics,
      identities,
      webhooks,
      sandbox: config.target === "sandbox",
      ingestor,
      limits: limitsFor(config.requestsPerMinute),
      trustedProxies: config.trustedProxies,
      enforcedPolicies: config.enforcedPolicies,
      sageMaker:
        config.target === "sandbox"
          ? sandboxSageMakerClients(() => `${url}/sandbox/aws/sagemaker`, internalToken)
          : awsSageMakerClients(),
      unready: () => work?.unready(),
      closing: closing.signal,
      log,
    });
    url = loopbackOf(await app.listen({ host: config.host, port: config.port }).catch(inUse(config)));
    work?.begin();
    ingestor?.start();
    const tagging =
      config.target === "sandbox"
        ? sandboxTaggingClients(() => `${url}/sandbox/aws/tagging`, internalToken)
        : awsTaggingClients();
    await queue.every("expire-pipelines", "*/5 * * * *", () =>
      expirePipelines({ pool, audit, log }, new Date()),
    );
    await queue.every("sweep-orphans", "23 * * * *", () => sweepOrphans({ pool, tagging, log }, new Date()));
    await queue.every("approvals", "* * * * *", () => reviewApprovals(pool, audit, new Date()));
    const records =
      config.target === "sandbox"
        ? { of: "sandbox" as const }
        : { of: "aws" as const, clients: cloudTrailClients() };
    await watchDrift(queue, { pool, audit, records, log });

    let closed: Promise<void> | undefined;
    return {
      url,
      databaseUrl,
      close: (graceMs = defaultGraceMs) => {
        closed ??= (async () => {
          closing.abort();
          await closeHttp(app);
          await work?.stop(graceMs);
          await closeAll();
        })();
        return closed;
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function inUse({ host, port }: Config): (error: NodeJS.ErrnoException) => never {
  return (cause) => {
    if (cause.code !== "EADDRINUSE") throw cause;
    throw new Error(`Something listens on ${host}:${port} already: choose another port by AIDLC_PORT`, {
      cause,
    });
  };
}

/** Streams end by the closing signal; whatever else is still connected after two seconds is cut off, idle or not. */
async function closeHttp(app: App): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), 2_000);
  await app.close();
  clearTimeout(cut);
}

/** What the other nodes know of this one. */
function recordOf({ node, role, backendUrl, places }: Config): NodeRecord {
  return {
    id: node,
    host: hostId(),
    hostname: hostname(),
    role,
    backend: works(role) ? digestOf(withoutPassword(backendUrl)) : null,
    localBackend: backendUrl.startsWith("file:"),
    pid: process.pid,
    version,
    places,
  };
}

/** Nodes may come to the same states as different users. */
function withoutPassword(address: string): string {
  return address.replace(/\/\/[^/@]*@/, "//");
}

/** Where this process reaches itself, whichever addresses it listens on. */
function loopbackOf(address: string): string {
  const url = new URL(address);
  if (url.hostname === "0.0.0.0" || url.hostname === "[::]") url.hostname = "127.0.0.1";
  return url.origin;
}
