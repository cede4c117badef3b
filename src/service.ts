import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Logger } from "pino";
import { provideAdministrator } from "./access/administrator.ts";
import { openIdentities } from "./access/identities.ts";
import { awsCloudControlClients, sandboxCloudControlClients } from "./accounts/cloud-control-clients.ts";
import { foundationOwner } from "./accounts/owner.ts";
import { buildApp } from "./app.ts";
import { AuditTrail } from "./audit/trail.ts";
import type { Config } from "./config.ts";
import { SandboxProvider } from "./engine/sandbox-provider.ts";
import { Supervisor } from "./engine/supervisor.ts";
import type { App } from "./http/app-types.ts";
import { limitsFor } from "./http/limits.ts";
import { createMetrics } from "./metrics.ts";
import { OperationFeed } from "./operations/feed.ts";
import { stackPassphrases } from "./operations/passphrases.ts";
import { RunCredentialsIssuer } from "./operations/run-credentials.ts";
import { Worker } from "./operations/worker.ts";
import { pipelineOwner } from "./pipelines/owner.ts";
import { awsSageMakerClients, sandboxSageMakerClients } from "./pipelines/sagemaker-clients.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./postgres/embedded.ts";
import { migrate } from "./postgres/migrations.ts";
import { holdNode } from "./postgres/node-lock.ts";
import { openPool } from "./postgres/pool.ts";
import { openQueue, type Queue } from "./queue/queue.ts";
import { setDefaultLimits } from "./teams/quotas.ts";

export interface Service {
  /** Where it listens, such as http://127.0.0.1:8080. */
  readonly url: string;
  readonly databaseUrl: string;
  /** Stops taking requests and jobs, lets running operations end for `graceMs`, then asks them to stop; idempotent. */
  close(graceMs?: number): Promise<void>;
}

const limits = { wallClockMs: 2 * 3600_000, silenceMs: 30 * 60_000, cancelMs: 60_000 };
const settleMs = 60_000;
const defaultGraceMs = 20_000;

/** Starts a whole node: database, queue, engine, HTTP. */
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
    // Before the server's end becomes ours to decide: when another service has the name, the server is that one's.
    const release = await holdNode(databaseUrl, config.node, (error) =>
      log.error({ err: error }, "the name of this node"),
    );
    if (server) closers.push(() => server.stop());
    closers.push(release);
    const pool = openPool(databaseUrl, 20);
    pool.on("error", (error) => log.warn({ err: error }, "an idle database connection was lost"));
    closers.push(() => pool.end());
    await migrate(pool);
    await setDefaultLimits(pool, config.teamLimits);
    const audit = new AuditTrail(config.statePassphrase);
    const { bootstrapToken, oidc } = config;
    await provideAdministrator({
      pool,
      audit,
      dataDir: config.dataDir,
      bootstrapToken,
      issuer: oidc?.issuer,
      log,
    });
    // By which the service passes its own door to the sandbox; nobody else ever learns it.
    const internalToken = randomBytes(32).toString("base64url");
    const identities = openIdentities({ pool, oidc, bootstrapToken, internalToken, log });

    const queue = await openQueue(databaseUrl, (error) => log.error({ err: error }, "queue"));
    const feed = new OperationFeed(databaseUrl, (error) => log.warn({ err: error }, "notifications"));
    closers.push(() => queue.stop(0));
    await feed.start();
    closers.push(() => feed.close());

    const sandbox =
      config.target === "sandbox" ? new SandboxProvider(databaseUrl, config.childEnvironment) : undefined;
    if (sandbox) closers.push(() => sandbox.close());
    const supervisor = new Supervisor({
      dataDir: config.dataDir,
      environment: config.childEnvironment,
      spares: config.concurrency,
      limits,
      sandbox,
    });
    await supervisor.start();
    closers.push(() => supervisor.close());

    let url = "";
    const cloudControl =
      config.target === "sandbox"
        ? sandboxCloudControlClients(() => `${url}/sandbox/aws/cloudcontrol`, internalToken)
        : awsCloudControlClients();
    const metrics = createMetrics(pool);
    const credentials = await RunCredentialsIssuer.start({
      aws: config.target === "aws",
      stateRole: config.stateRole,
      log,
    });
    closers.push(() => credentials.close());
    const worker = new Worker({
      pool,
      audit,
      queue,
      supervisor,
      owners: {
        pipeline: pipelineOwner({ pool, queue, audit }),
        account: foundationOwner(pool, cloudControl),
      },
      passphrases: stackPassphrases(config.statePassphrase),
      credentials,
      backendUrl: config.backendUrl,
      node: config.node,
      enforcedPolicies: config.enforcedPolicies,
      orderlyEndMs: limits.cancelMs,
      metrics,
      log,
    });
    const settle = (which?: { readonly all: boolean }) => {
      worker.settleLapsed(which).catch((error: unknown) => log.error({ err: error }, "lapsed operations"));
    };
    // Not waited for: what a crash left behind may take a minute to end, and only its own stacks have to wait for that.
    settle({ all: true });
    const settling = setInterval(settle, settleMs);
    closers.push(async () => clearInterval(settling));

    const app = await buildApp({
      pool,
      audit,
      queue,
      feed,
      metrics,
      identities,
      sandbox: config.target === "sandbox",
      limits: limitsFor(config.requestsPerMinute),
      trustedProxies: config.trustedProxies,
      enforcedPolicies: config.enforcedPolicies,
      sageMaker:
        config.target === "sandbox"
          ? sandboxSageMakerClients(() => `${url}/sandbox/aws/sagemaker`, internalToken)
          : awsSageMakerClients(),
      cancelHere: (operationId) => worker.cancel(operationId),
      closing: closing.signal,
      log,
    });
    url = loopbackOf(await app.listen({ host: config.host, port: config.port }).catch(inUse(config)));
    // Not before the node listens: operations ask the sandbox, which it serves itself.
    await queue.work(config.concurrency, (job) => worker.run(job));

    let closed: Promise<void> | undefined;
    return {
      url,
      databaseUrl,
      close: (graceMs = defaultGraceMs) => {
        closed ??= (async () => {
          closing.abort();
          await closeHttp(app);
          await stopOperations(worker, queue, graceMs, log);
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

/**
 * Gives running operations time to end by themselves; those still running then are asked to stop, which leaves a whole state.
 * What can't be recorded even then, because the database is gone, is left to the next start.
 */
async function stopOperations(worker: Worker, queue: Queue, graceMs: number, log: Logger): Promise<void> {
  const cancel = setTimeout(() => {
    log.warn({ graceMs }, "operations still run: stopping them");
    worker.cancelAll();
  }, graceMs);
  try {
    await queue.stop(graceMs + limits.cancelMs);
  } catch (error) {
    log.error({ err: error }, "the queue could not be stopped in order");
  } finally {
    clearTimeout(cancel);
    worker.giveUpRecording();
  }
}

/** Where this process reaches itself, whichever addresses it listens on. */
function loopbackOf(address: string): string {
  const url = new URL(address);
  if (url.hostname === "0.0.0.0" || url.hostname === "[::]") url.hostname = "127.0.0.1";
  return url.origin;
}
