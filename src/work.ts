import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Logger } from "pino";
import { awsCloudControlClients, sandboxCloudControlClients } from "./accounts/cloud-control-clients.ts";
import { foundationOwner } from "./accounts/owner.ts";
import type { AuditTrail } from "./audit/trail.ts";
import { awsTaggingClients, sandboxTaggingClients } from "./aws/tagged-resources.ts";
import type { Config } from "./config.ts";
import { SandboxProvider } from "./engine/sandbox-provider.ts";
import { Supervisor } from "./engine/supervisor.ts";
import type { Metrics } from "./metrics.ts";
import { Dispatcher } from "./operations/dispatcher.ts";
import type { OperationFeed } from "./operations/feed.ts";
import { stackPassphrases } from "./operations/passphrases.ts";
import { RunCredentialsIssuer } from "./operations/run-credentials.ts";
import { Worker } from "./operations/worker.ts";
import { pipelineOwner } from "./pipelines/owner.ts";
import { isToldAsOutage } from "./postgres/outage.ts";
import { whereaboutsOnAws } from "./recovery/look-up.ts";
import { awsQuiesceClients, sandboxQuiesceClients } from "./teardown/clients.ts";
import { quiescePipeline } from "./teardown/pipeline.ts";

export interface WorkOptions {
  readonly config: Config;
  readonly databaseUrl: string;
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
  readonly feed: OperationFeed;
  readonly metrics: Metrics;
  /** Opens this node's own door to the sandbox. */
  readonly internalToken: string;
  /** Where this node listens; known by `begin`. */
  readonly ownUrl: () => string;
  readonly log: Logger;
}

/** What runs operations on a node. */
export interface Work {
  /** Takes operations from now on. Not before the node listens: operations ask the sandbox, which it serves itself. */
  begin(): void;
  /** What keeps it from taking operations, if anything. */
  unready(): string | undefined;
  /** Lets running operations end for `graceMs`, then asks them to stop. */
  stop(graceMs: number): Promise<void>;
  /** Ends all that `prepareWork` started, after `stop`. */
  close(): Promise<void>;
}

// How soon the operations of a node that died are seen to, once their leases have lapsed.
const takeOverMs = 5_000;

/** Starts runners and all that operations need; nothing runs before `begin`. */
export async function prepareWork(options: WorkOptions): Promise<Work> {
  const { config, pool, feed, log } = options;
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const each of closers.splice(0).reverse()) {
      await each().catch((error: unknown) =>
        log.error({ err: error }, "a part of the worker could not be closed"),
      );
    }
  };
  try {
    const worker = await openWorker(options, closers);
    const takeOver = (how?: { readonly atStart: boolean }) => {
      worker.takeOverLapsed(how).catch((error: unknown) => {
        if (!isToldAsOutage(pool, error)) log.error({ err: error }, "lapsed operations");
      });
    };
    // Not waited for: what a crash left behind may take a moment to end, and only its own stacks have to wait for that.
    takeOver({ atStart: true });
    const takingOver = setInterval(takeOver, takeOverMs);
    closers.push(async () => clearInterval(takingOver));
    const stopHearing = feed.onCancel((operationId) => worker.cancel(operationId));
    closers.push(async () => stopHearing());
    const dispatcher = new Dispatcher({
      pool,
      feed,
      node: config.node,
      leaseMs: config.operationLimits.leaseMs,
      places: config.places,
      run: (claim) => worker.run(claim),
      log,
    });
    return {
      begin: () => dispatcher.start(),
      unready: () => (dispatcher.failed ? "The queue of operations can't be read" : undefined),
      stop: (graceMs) => stopOperations(worker, dispatcher, graceMs, options),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openWorker(
  { config, databaseUrl, pool, audit, metrics, internalToken, ownUrl, log }: WorkOptions,
  closers: (() => Promise<unknown>)[],
): Promise<Worker> {
  const sandbox =
    config.target === "sandbox" ? new SandboxProvider(databaseUrl, config.childEnvironment) : undefined;
  if (sandbox) closers.push(() => sandbox.close());
  const supervisor = new Supervisor({
    dataDir: config.dataDir,
    environment: config.childEnvironment,
    spares: config.places.changes,
    limits: config.operationLimits,
    sandbox,
  });
  await supervisor.start();
  closers.push(() => supervisor.close());
  const credentials = await RunCredentialsIssuer.start({
    aws: config.target === "aws",
    stateRole: config.stateRole,
    log,
  });
  closers.push(() => credentials.close());
  const cloudControl =
    config.target === "sandbox"
      ? sandboxCloudControlClients(() => `${ownUrl()}/sandbox/aws/cloudcontrol`, internalToken)
      : awsCloudControlClients();
  const quiesceClients =
    config.target === "sandbox"
      ? sandboxQuiesceClients(() => `${ownUrl()}/sandbox/aws/sagemaker`, internalToken)
      : awsQuiesceClients();
  const tagging =
    config.target === "sandbox"
      ? sandboxTaggingClients(() => `${ownUrl()}/sandbox/aws/tagging`, internalToken)
      : awsTaggingClients();
  return new Worker({
    pool,
    audit,
    supervisor,
    owners: {
      pipeline: { ...pipelineOwner({ pool, audit }), quiesce: quiescePipeline(quiesceClients) },
      account: foundationOwner(pool, cloudControl),
    },
    passphrases: stackPassphrases(config.statePassphrase),
    credentials,
    backendUrl: config.backendUrl,
    node: config.node,
    enforcedPolicies: config.enforcedPolicies,
    whereabouts: whereaboutsOnAws({ tagging, cloudControl }),
    leaseMs: config.operationLimits.leaseMs,
    metrics,
    log,
  });
}

/**
 * Gives running operations time to end by themselves; those still running then are asked to stop, which leaves a whole state, and
 * go back to the queue. What can't be recorded even then, because the database is gone, is left to whoever takes it over.
 */
async function stopOperations(
  worker: Worker,
  dispatcher: Dispatcher,
  graceMs: number,
  { config, log }: WorkOptions,
): Promise<void> {
  const { cancelMs } = config.operationLimits;
  const stopAll = setTimeout(() => {
    log.warn({ graceMs }, "operations still run: stopping them");
    worker.stopAll();
  }, graceMs);
  try {
    // Both rungs of the ladder, and a moment for what follows them.
    const latest = sleep(graceMs + 2 * cancelMs + 5_000, undefined, { ref: false });
    await Promise.race([dispatcher.stop(), latest]);
  } finally {
    clearTimeout(stopAll);
    worker.giveUpRecording();
  }
}
