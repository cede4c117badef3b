import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import fastify from "fastify";
import type pg from "pg";
import type { Logger } from "pino";
import { accountRoutes } from "./accounts/routes.ts";
import { AppError } from "./errors.ts";
import type { App } from "./http/app-types.ts";
import { authentication } from "./http/authentication.ts";
import { documentation } from "./http/documentation.ts";
import { acceptDocuments } from "./http/documents.ts";
import { healthRoutes } from "./http/health-routes.ts";
import { Problem, sendProblem } from "./http/problem.ts";
import { validatorCompiler } from "./http/validation.ts";
import type { Metrics } from "./metrics.ts";
import type { OperationFeed } from "./operations/feed.ts";
import { operationRoutes } from "./operations/routes.ts";
import { OperationView } from "./operations/schema.ts";
import { releaseRoutes } from "./pipelines/release-routes.ts";
import { pipelineReportRoutes } from "./pipelines/report-routes.ts";
import { pipelineRoutes } from "./pipelines/routes.ts";
import type { SageMakerClients } from "./pipelines/sagemaker.ts";
import { SharedSpec } from "./pipelines/schema.ts";
import { policyRoutes } from "./policies/routes.ts";
import { FindingView } from "./policies/schema.ts";
import type { Queue } from "./queue/queue.ts";
import { sandboxRoutes } from "./sandbox/routes.ts";
import { teamRoutes } from "./teams/routes.ts";

export interface AppOptions {
  readonly pool: pg.Pool;
  readonly queue: Queue;
  readonly feed: OperationFeed;
  readonly sageMaker: SageMakerClients;
  readonly metrics: Metrics;
  readonly adminToken: string;
  readonly sandbox: boolean;
  /** Ids of policies that are mandatory although a profile only advises them. */
  readonly enforcedPolicies: readonly string[];
  readonly cancelHere: (operationId: string) => void;
  /** Aborts when the service shuts down: streams and waiting requests end then. */
  readonly closing: AbortSignal;
  readonly log: Logger;
}

const bodyLimitBytes = 1024 * 1024;

/** The HTTP application, ready to listen. */
export async function buildApp(options: AppOptions): Promise<App> {
  const app = fastify({
    loggerInstance: options.log,
    bodyLimit: bodyLimitBytes,
    genReqId: () => randomUUID(),
    // Our own closing hook ends what would otherwise keep connections open.
    forceCloseConnections: "idle",
    clientErrorHandler: refuseUnreadable,
    // What Fastify refuses before a route is found, such as a path that can't be decoded.
    frameworkErrors: (error, request, reply) => {
      reply.header("x-request-id", request.id);
      return sendProblem(error, request, reply);
    },
  }) as unknown as App;
  app.setValidatorCompiler(validatorCompiler as Parameters<App["setValidatorCompiler"]>[0]);
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const error = new AppError(
      "not_found",
      `There is no ${request.method} ${request.url.split("?")[0]}: see /docs`,
    );
    return sendProblem(error, request, reply);
  });
  acceptDocuments(app);
  app.addHook("onRequest", authentication(options.adminToken));
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "unknown";
    options.metrics.requests.observe(
      { method: request.method, route, status: reply.statusCode },
      reply.elapsedTime / 1000,
    );
  });
  app.addHook("onSend", async (request, reply) => {
    reply.header("x-request-id", request.id);
    reply.header("x-content-type-options", "nosniff");
  });

  for (const schema of [Problem, FindingView, OperationView, SharedSpec]) app.addSchema(schema);
  await documentation(app);
  healthRoutes(app, options);
  await app.register(
    async (v1) => {
      const api = v1 as unknown as App;
      teamRoutes(api, options);
      accountRoutes(api, options);
      pipelineRoutes(api, options);
      releaseRoutes(api, options);
      pipelineReportRoutes(api, options);
      operationRoutes(api, options);
      policyRoutes(api, options);
    },
    { prefix: "/v1" },
  );
  if (options.sandbox) await app.register(sandboxRoutes, { prefix: "/sandbox", pool: options.pool });
  return app;
}

/** Answers what Node refuses before it becomes a request, such as a header that is too large. */
function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return;
  const body = JSON.stringify({
    type: "urn:aidlc:problem:invalid_request",
    title: "invalid request",
    status: 400,
    code: "invalid_request",
    detail: `The request can't be read: it is not valid HTTP, or its headers are too large (${error.code})`,
    instance: "",
  });
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
