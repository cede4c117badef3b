import { randomUUID } from "node:crypto";
import fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import type pg from "pg";
import type { Logger } from "pino";
import { authorization } from "./access/authorization.ts";
import { bootstrapRoutes } from "./access/bootstrap-routes.ts";
import type { Identities } from "./access/identities.ts";
import { keyRoutes } from "./access/key-routes.ts";
import { memberRoutes } from "./access/member-routes.ts";
import { whoamiRoutes } from "./access/whoami-routes.ts";
import { accountRoutes } from "./accounts/routes.ts";
import { approvalRoutes } from "./approvals/routes.ts";
import { recordDenial } from "./audit/denials.ts";
import { auditRoutes } from "./audit/routes.ts";
import type { AuditTrail } from "./audit/trail.ts";
import { driftRoutes } from "./drift/routes.ts";
import { AppError } from "./errors.ts";
import type { App } from "./http/app-types.ts";
import { authentication } from "./http/authentication.ts";
import { protectBrowsers, refuseForeignPages } from "./http/browser-protection.ts";
import { ConcurrencyLimit } from "./http/concurrency.ts";
import { refuseCredentials } from "./http/credentials.ts";
import { documentation } from "./http/documentation.ts";
import { acceptDocuments } from "./http/documents.ts";
import { healthRoutes } from "./http/health-routes.ts";
import type { RequestLimits } from "./http/limits.ts";
import { routedMethods } from "./http/methods.ts";
import { refuseCrowds, refuseUnderPressure } from "./http/pressure.ts";
import { Problem, sendProblem } from "./http/problem.ts";
import { countRequests, limitFailures, limitRequests } from "./http/rate-limits.ts";
import { serializerFactory } from "./http/serialization.ts";
import { refuseUnreadable } from "./http/unreadable.ts";
import { validatorCompiler } from "./http/validation.ts";
import { idempotency } from "./idempotency/requests.ts";
import type { Ingestor } from "./ingestion/ingestor.ts";
import { ingestionRoutes } from "./ingestion/routes.ts";
import type { Metrics } from "./metrics.ts";
import { nodeRoutes } from "./nodes/routes.ts";
import { type NodeRole, serves } from "./nodes/store.ts";
import type { OperationFeed } from "./operations/feed.ts";
import { operationRoutes } from "./operations/routes.ts";
import { OperationView } from "./operations/schema.ts";
import { waitWherePreferred } from "./operations/waiting.ts";
import { orphanRoutes } from "./orphans/routes.ts";
import { releaseRoutes } from "./pipelines/release-routes.ts";
import { pipelineReportRoutes } from "./pipelines/report-routes.ts";
import { pipelineRevisionRoutes } from "./pipelines/revision-routes.ts";
import { pipelineRoutes } from "./pipelines/routes.ts";
import type { SageMakerClients } from "./pipelines/sagemaker.ts";
import { SharedSpec } from "./pipelines/schema.ts";
import { pipelineTeardownRoutes } from "./pipelines/teardown-routes.ts";
import { policyRoutes } from "./policies/routes.ts";
import { FindingView } from "./policies/schema.ts";
import { sandboxRoutes } from "./sandbox/routes.ts";
import { quotaRoutes } from "./teams/quota-routes.ts";
import { teamRoutes } from "./teams/routes.ts";
import { deliveryRoutes } from "./webhooks/delivery-routes.ts";
import { type WebhookRoutesOptions, webhookRoutes } from "./webhooks/routes.ts";

export interface AppOptions {
  /** A worker serves what it needs itself, and those who look after it. */
  readonly role: NodeRole;
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
  readonly feed: OperationFeed;
  readonly sageMaker: SageMakerClients;
  readonly webhooks: WebhookRoutesOptions["webhooks"];
  readonly metrics: Metrics;
  readonly identities: Identities;
  readonly sandbox: boolean;
  /** Takes files for pipelines; only where the target is the sandbox. */
  readonly ingestor?: Ingestor | undefined;
  readonly limits: RequestLimits;
  /** Addresses and networks of proxies that are believed when they say who calls. */
  readonly trustedProxies: readonly string[];
  /** Ids of policies that are mandatory although a profile only advises them. */
  readonly enforcedPolicies: readonly string[];
  /** What keeps this node from working although it runs, if anything. */
  readonly unready: () => string | undefined;
  /** Aborts when the service shuts down: streams and waiting requests end then. */
  readonly closing: AbortSignal;
  readonly log: Logger;
}

const bodyLimitBytes = 1024 * 1024;

/** The HTTP application, ready to listen. */
export async function buildApp(options: AppOptions): Promise<App> {
  const { limits } = options;
  const app = fastify({
    loggerInstance: options.log.child({}, { serializers: { req: requestLine } }),
    bodyLimit: bodyLimitBytes,
    schemaController: { compilersFactory: { buildSerializer: serializerFactory } },
    trustProxy: [...options.trustedProxies],
    connectionTimeout: limits.silenceMs,
    requestTimeout: limits.requestMs,
    // How often Node looks for requests that are too slow is up to us, and half a minute otherwise.
    http: { headersTimeout: limits.headersMs, connectionsCheckingInterval: Math.ceil(limits.headersMs / 10) },
    genReqId: () => randomUUID(),
    // A member's subject has up to 260 characters, each percent-encoded as three.
    routerOptions: { maxParamLength: 1_000 },
    // Our own closing hook ends what would otherwise keep connections open.
    forceCloseConnections: "idle",
    clientErrorHandler: refuseUnreadable,
    // What Fastify refuses before a route is found, such as a path that can't be decoded.
    frameworkErrors: (error, request, reply) => {
      reply.headers({
        "x-request-id": request.id,
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
      });
      return sendProblem(error, request, reply);
    },
  }) as unknown as App;
  app.server.maxConnections = limits.connections;
  app.setValidatorCompiler(validatorCompiler as Parameters<App["setValidatorCompiler"]>[0]);
  app.setErrorHandler(async (error, request, reply) => {
    if (!(error instanceof AppError && error.denied)) return sendProblem(error, request, reply);
    return recordDenial(options, request, error).then(
      () => sendProblem(error, request, reply),
      // Nobody is refused without a trace: whoever tries meets a service that can't answer.
      (failure: unknown) => sendProblem(failure, request, reply),
    );
  });
  const methodsOf = routedMethods(app);
  const sendNoRoute = (request: FastifyRequest, reply: FastifyReply) => {
    const path = request.url.split("?")[0] ?? "";
    const methods = methodsOf(path);
    // A route may find that there is nothing of the name, as that of the documentation's files does.
    if (methods.length === 0 || methods.includes(request.method)) {
      return sendProblem(
        new AppError("not_found", `There is no ${request.method} ${path}: see /docs`),
        request,
        reply,
      );
    }
    reply.header("allow", methods.join(", "));
    const error = new AppError(
      "method_not_allowed",
      `${path} takes ${methods.join(", ")}, not ${request.method}: see /docs`,
    );
    return sendProblem(error, request, reply);
  };
  app.setNotFoundHandler(sendNoRoute);
  acceptDocuments(app);
  await protectBrowsers(app);
  await refuseUnderPressure(app, options.pool, limits);
  await countRequests(app);
  limitFailures(app, limits);
  authentication(app, options.identities);
  limitRequests(app, limits);
  refuseCrowds(app, options.pool, limits);
  refuseForeignPages(app);
  authorization(app, options.pool);
  // Where there is no route, nobody needs the body read and parsed.
  app.addHook("onRequest", async (request, reply) => {
    if (request.routeOptions.url === undefined) return sendNoRoute(request, reply);
  });
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "unknown";
    options.metrics.requests.observe(
      { method: request.method, route, status: reply.statusCode },
      reply.elapsedTime / 1000,
    );
  });
  app.addHook("onSend", async (request, reply) => {
    reply.header("x-request-id", request.id);
  });

  const open = new ConcurrencyLimit(limits.streams);
  idempotency(app, options.pool);
  waitWherePreferred(app, { ...options, open });
  for (const schema of [Problem, FindingView, OperationView, SharedSpec]) app.addSchema(schema);
  if (serves(options.role)) await documentation(app);
  healthRoutes(app, options);
  if (serves(options.role)) {
    await app.register(async (v1) => interfaceRoutes(v1 as unknown as App, options, open), { prefix: "/v1" });
  }
  if (options.sandbox) {
    await app.register(sandboxRoutes, {
      prefix: "/sandbox",
      pool: options.pool,
      audit: options.audit,
      onlyAws: !serves(options.role),
    });
  }
  return app;
}

function interfaceRoutes(api: App, options: AppOptions, open: ConcurrencyLimit): void {
  refuseCredentials(api);
  bootstrapRoutes(api, options);
  whoamiRoutes(api);
  keyRoutes(api, options);
  memberRoutes(api, options);
  teamRoutes(api, options);
  quotaRoutes(api, options);
  accountRoutes(api, options);
  pipelineRoutes(api, options);
  releaseRoutes(api, options);
  pipelineReportRoutes(api, options);
  api.register(async (scope) =>
    ingestionRoutes(scope as unknown as App, { pool: options.pool, ingestor: options.ingestor }),
  );
  driftRoutes(api, options);
  pipelineRevisionRoutes(api, options);
  pipelineTeardownRoutes(api, options);
  operationRoutes(api, { ...options, open });
  approvalRoutes(api, options);
  webhookRoutes(api, options);
  deliveryRoutes(api, options);
  nodeRoutes(api, options);
  orphanRoutes(api, options);
  policyRoutes(api, options);
  auditRoutes(api, options);
}

/** Without the query string: it is no place for a secret, and a favourite one. */
function requestLine({ method, url, host, ip }: FastifyRequest) {
  return { method, url: url.split("?", 1)[0], host, remoteAddress: ip };
}
