import { once } from "node:events";
import type { FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import { stillSees } from "../access/authorization.ts";
import { visibleTeams } from "../access/principal.ts";
import { type AuditTrail, auditContext } from "../audit/trail.ts";
import { AppError } from "../errors.ts";
import { type App, OperationId, PipelineName, problems, TeamName } from "../http/app-types.ts";
import { cursorPart, PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { inTransaction, type Queryable } from "../postgres/pool.ts";
import { listEvents } from "./events.ts";
import { followOperation } from "./feed.ts";
import { listOperations } from "./list.ts";
import { queuePositions } from "./queue-position.ts";
import { EventView, eventView, OperationAnswer, operationView } from "./schema.ts";
import { isEnded, operationKinds, operationStates } from "./states.ts";
import { findOperation, lockOperation, type Operation, operationNotFound, requestCancel } from "./store.ts";
import { goneSignal, Prefer, preferredWait, type WaitingOptions, waitForEnd } from "./waiting.ts";

export interface OperationRoutesOptions extends WaitingOptions {
  readonly audit: AuditTrail;
}

const OperationParams = Type.Object({ operation: OperationId });

// A comment line now and then keeps proxies from closing a silent stream.
const keepAliveMs = 15_000;
const eventBatch = 500;
// Sequences are integers of 32 bits.
const maxSequence = 2_147_483_647;

export function operationRoutes(app: App, options: OperationRoutesOptions): void {
  const { pool, audit, open } = options;

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
      const waiting = await waitingOf(
        pool,
        rows.map(({ operation }) => operation),
      );
      return toPage(
        rows,
        limit,
        ({ operation }) => operationView(operation, waiting.get(operation.id)),
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
        headers: Type.Object({ prefer: Prefer }),
        response: { 200: OperationAnswer, ...problems(404) },
      },
    },
    async (request, reply) => {
      const { operation: id } = request.params;
      const seconds = preferredWait(request.headers.prefer);
      if (seconds === 0) return viewWithWaiting(pool, await getOperation(pool, id));
      reply.raw.once("close", open.open(request.principal.subject));
      const operation = await waitForEnd(options, reply, id, seconds);
      if (operation === undefined) throw operationNotFound(id);
      return viewWithWaiting(pool, operation);
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

function waitingOf(db: Queryable, operations: readonly Operation[]) {
  return queuePositions(
    db,
    operations.filter(({ state }) => state === "queued").map(({ id }) => id),
  );
}

async function viewWithWaiting(db: Queryable, operation: Operation) {
  return operationView(operation, (await waitingOf(db, [operation])).get(operation.id));
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
