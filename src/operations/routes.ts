import { once } from "node:events";
import type { FastifyReply, FastifyRequest } from "fastify";
import type pg from "pg";
import Type from "typebox";
import { stillSees } from "../access/authorization.ts";
import { visibleTeams } from "../access/principal.ts";
import { type AuditTrail, auditContext } from "../audit/trail.ts";
import { AppError } from "../errors.ts";
import { type App, OperationId, PipelineName, problems, TeamName } from "../http/app-types.ts";
import { ConcurrencyLimit } from "../http/concurrency.ts";
import type { RequestLimits } from "../http/limits.ts";
import { cursorPart, PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { inTransaction, type Queryable } from "../postgres/pool.ts";
import { listEvents } from "./events.ts";
import { followOperation, type OperationFeed } from "./feed.ts";
import { EventView, eventView, OperationAnswer, operationView } from "./schema.ts";
import { isEnded, operationKinds, operationStates } from "./states.ts";
import {
  findOperation,
  listOperations,
  lockOperation,
  type Operation,
  operationNotFound,
  requestCancel,
} from "./store.ts";

export interface OperationRoutesOptions {
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
  readonly feed: OperationFeed;
  readonly limits: RequestLimits;
  /** Stops an operation of this node at once; operations of other nodes stop with their next lease renewal. */
  readonly cancelHere: (operationId: string) => void;
  /** Aborts when the service shuts down. */
  readonly closing: AbortSignal;
}

const OperationParams = Type.Object({ operation: OperationId });

// A comment line now and then keeps proxies from closing a silent stream.
const keepAliveMs = 15_000;
const eventBatch = 500;
// Sequences are integers of 32 bits.
const maxSequence = 2_147_483_647;

export function operationRoutes(app: App, options: OperationRoutesOptions): void {
  const { pool, audit, feed, closing } = options;
  const open = new ConcurrencyLimit(options.limits.streams);

  app.get(
    "/operations",
    {
      schema: {
        summary: "List operations, the newest first",
        tags: ["operations"],
        querystring: Type.Object(
          {
            ...PageQuery,
            team: Type.Optional(TeamName),
            pipeline: Type.Optional(PipelineName),
            state: Type.Optional(
              Type.Enum([...operationStates], { description: "Only operations in this state" }),
            ),
            kind: Type.Optional(
              Type.Enum([...operationKinds], { description: "Only operations of this kind" }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: pageOf(OperationAnswer, "Operations"), ...problems() },
      },
    },
    async (request) => {
      const { limit, cursor, ...filter } = request.query;
      const rows = await listOperations(pool, {
        ...filter,
        visible: visibleTeams(request.principal),
        after: parseCursor(cursor, cursorPart.moment, cursorPart.uuid),
        limit,
      });
      return toPage(
        rows,
        limit,
        (row) => operationView(row.operation),
        (row) => row.key,
      );
    },
  );

  app.get(
    "/operations/:operation",
    {
      schema: {
        summary: "Read an operation; `Prefer: wait=30` answers when it has ended, or after 30 seconds",
        tags: ["operations"],
        params: OperationParams,
        headers: Type.Object({
          prefer: Type.Optional(
            Type.String({ description: "`wait=SECONDS`, at most 60 (RFC 7240)", maxLength: 100 }),
          ),
        }),
        response: { 200: OperationAnswer, ...problems(404) },
      },
    },
    async (request, reply) => {
      const { operation: id } = request.params;
      const waitMs = waitOf(request.headers.prefer);
      if (waitMs > 0) reply.raw.once("close", open.open(request.principal.subject));
      const signal = AbortSignal.any([AbortSignal.timeout(waitMs), closing, goneSignal(reply)]);
      const ended = await followOperation(feed, id, signal, async () => {
        const operation = await getOperation(pool, id);
        return isEnded(operation.state) || waitMs === 0 ? operation : undefined;
      });
      return operationView(ended ?? (await getOperation(pool, id)));
    },
  );

  app.post(
    "/operations/:operation/cancel",
    {
      schema: {
        summary: "Ask for an operation's end; a running one completes what it has begun with AWS and stops",
        tags: ["operations"],
        params: OperationParams,
        response: { 202: OperationAnswer, ...problems(404, 409) },
      },
    },
    async (request, reply) => {
      const { operation: id } = request.params;
      const cancelled = await inTransaction(pool, async (client) => {
        await lockOperation(client, id);
        const before = await getOperation(client, id);
        const after = await requestCancel(client, id);
        if (!after) {
          throw new AppError(
            "stack_busy",
            `Operation ${id} has already ended as ${before.state}: there is nothing to cancel`,
          );
        }
        await audit.change(client, auditContext(request), {
          action: "operation.cancel",
          team: after.team,
          target: `/operations/${id}`,
          before: standOf(before),
          after: standOf(after),
        });
        return after;
      });
      options.cancelHere(id);
      return reply.code(202).send(operationView(cancelled));
    },
  );

  app.get(
    "/operations/:operation/events",
    {
      schema: {
        summary: "Events of an operation: JSON pages, or with `Accept: text/event-stream` a live stream",
        description:
          "The stream sends one message per event with its sequence as id, resumes after `Last-Event-ID`, and ends with an `end` message that carries the operation.",
        tags: ["operations"],
        params: OperationParams,
        headers: Type.Object({
          accept: Type.Optional(Type.String()),
          "last-event-id": Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: maxSequence,
              description: "Sequence of the last event received",
            }),
          ),
        }),
        querystring: Type.Object(
          {
            limit: Type.Integer({ minimum: 1, maximum: 1000, default: 200, description: "Events in a page" }),
            after: Type.Integer({
              minimum: 0,
              maximum: maxSequence,
              default: 0,
              description: "Sequence of the last event of the page before",
            }),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object(
            { items: Type.Array(EventView), next: Type.Integer({ description: "`after` of the next page" }) },
            { description: "A page of events" },
          ),
          ...problems(404),
        },
      },
    },
    async (request, reply) => {
      const { operation: id } = request.params;
      const operation = await getOperation(pool, id);
      if (request.headers.accept?.includes("text/event-stream")) {
        const after = request.headers["last-event-id"] ?? request.query.after;
        const closeStream = open.open(request.principal.subject);
        try {
          await streamEvents(options, operation, after, request, reply);
        } finally {
          closeStream();
        }
        return reply;
      }
      const events = await listEvents(pool, id, request.query.after, request.query.limit);
      return reply.send({
        items: events.map(eventView),
        next: events.at(-1)?.sequence ?? request.query.after,
      });
    },
  );
}

/** Throws `operation_not_found`. */
async function getOperation(db: Queryable, id: string): Promise<Operation> {
  const operation = await findOperation(db, id);
  if (!operation) throw operationNotFound(id);
  return operation;
}

function standOf({ kind, state, cancelRequestedAt }: Operation) {
  return { kind, state, cancelRequestedAt };
}

function waitOf(prefer: string | undefined): number {
  const seconds = /(?:^|,|;)\s*wait=(\d+)/.exec(prefer ?? "")?.[1];
  return Math.min(Number(seconds ?? 0), 60) * 1000;
}

/** Aborts when nobody waits for the answer any more: it was sent, or the connection is gone. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  return gone.signal;
}

/** Sends every stored event after `after` in order, then new ones as they are stored, then the operation's end. */
async function streamEvents(
  { pool, feed, closing }: OperationRoutesOptions,
  operation: Operation,
  after: number,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
    "x-content-type-options": "nosniff",
    "x-request-id": request.id,
  });
  const unseen = new AbortController();
  const signal = AbortSignal.any([closing, goneSignal(reply), unseen.signal]);
  const write = async (text: string) => {
    if (!raw.write(text)) await once(raw, "drain", { signal });
  };
  const keepAlive = setInterval(async () => {
    raw.write(": keep-alive\n\n");
    // The stream may outlive its reader's token, and the roles that let them in.
    if (!(await stillSees(request, operation.team))) unseen.abort();
  }, keepAliveMs);
  let sent = after;
  try {
    await write("retry: 1000\n\n");
    await followOperation(feed, operation.id, signal, async () => {
      // The state is read before the events: once it says "ended", no event can follow that wasn't stored by then.
      const current = await getOperation(pool, operation.id);
      for (;;) {
        const events = await listEvents(pool, operation.id, sent, eventBatch);
        for (const event of events) {
          await write(
            `id: ${event.sequence}\nevent: ${event.type}\ndata: ${JSON.stringify(eventView(event))}\n\n`,
          );
          sent = event.sequence;
        }
        if (events.length < eventBatch) break;
      }
      if (!isEnded(current.state)) return undefined;
      await write(`event: end\ndata: ${JSON.stringify(operationView(current))}\n\n`);
      return true;
    });
  } catch (error) {
    if (!signal.aborted) request.log.error({ err: error }, "event stream failed");
  } finally {
    clearInterval(keepAlive);
    raw.end();
  }
}
