import type { FastifyReply, RouteOptions } from "fastify";
import type pg from "pg";
import Type, { type Static, type TObject } from "typebox";
import type { App } from "../http/app-types.ts";
import type { ConcurrencyLimit } from "../http/concurrency.ts";
import { followOperation, type OperationFeed } from "./feed.ts";
import { OperationAnswer, type OperationView, operationView } from "./schema.ts";
import { isEnded } from "./states.ts";
import { findOperation, type Operation } from "./store.ts";

export interface WaitingOptions {
  readonly pool: pg.Pool;
  readonly feed: OperationFeed;
  /** Event streams and waiting requests that are open. */
  readonly open: ConcurrencyLimit;
  /** Aborts when the service shuts down. */
  readonly closing: AbortSignal;
}

const longestWaitSeconds = 60;

export const Prefer = Type.Optional(
  Type.String({
    description: `\`wait=SECONDS\`, at most ${longestWaitSeconds} (RFC 7240): answer when the operation has ended or waits for approval, or after so long`,
    maxLength: 100,
  }),
);

/** How many seconds a request prefers to wait, within reason; 0 for none. */
export function preferredWait(prefer: string | undefined): number {
  const seconds = /(?:^|,|;)\s*wait\s*=\s*"?(\d+)/i.exec(prefer ?? "")?.[1];
  return Math.min(Number(seconds ?? 0), longestWaitSeconds);
}

/** Aborts when nobody waits for the answer any more: it was sent, or the connection is gone. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  return gone.signal;
}

/** The operation as soon as it has ended, or waits for approval; as it is when the seconds are over, nobody waits any more or the service shuts down. */
export async function waitForEnd(
  { pool, feed, closing }: WaitingOptions,
  reply: FastifyReply,
  id: string,
  seconds: number,
): Promise<Operation | undefined> {
  const signal = AbortSignal.any([AbortSignal.timeout(seconds * 1_000), closing, goneSignal(reply)]);
  const ended = await followOperation(feed, id, signal, async () => {
    const operation = await findOperation(pool, id);
    // Nothing goes on while it waits for people: who waits for its end may be one of them.
    const rests =
      operation === undefined || isEnded(operation.state) || operation.state === "awaiting_approval";
    return rests ? { operation } : undefined;
  });
  reply.header("preference-applied", `wait=${seconds}`);
  return ended === undefined ? findOperation(pool, id) : ended.operation;
}

/**
 * Lets every route that answers 202 with an operation be asked to wait for its end: then it answers 200 with the ended operation, or
 * 202 with how far it is. Register it before the routes.
 */
export function waitWherePreferred(app: App, options: WaitingOptions): void {
  app.addHook("onRoute", (route) => {
    if (!startsOperation(route)) return;
    const headers = (route.schema?.headers as TObject | undefined)?.properties ?? {};
    route.schema = {
      ...route.schema,
      headers: Type.Object({ ...headers, prefer: Prefer }),
      response: { 200: OperationAnswer, ...(route.schema?.response as object) },
    };
  });
  app.addHook("preSerialization", async (request, reply, payload) => {
    if (reply.statusCode !== 202 || !startsOperation(request.routeOptions)) return payload;
    const seconds = preferredWait(request.headers.prefer as string | undefined);
    if (seconds === 0) return payload;
    // What was asked for is done: with too many open already, it only isn't waited for.
    const close = options.open.tryOpen(request.principal.subject);
    if (close === undefined) return payload;
    try {
      const operation = await waitForEnd(
        options,
        reply,
        (payload as Static<typeof OperationView>).id,
        seconds,
      );
      if (operation === undefined) return payload;
      if (isEnded(operation.state)) reply.code(200);
      return operationView(operation);
    } finally {
      close();
    }
  });
}

function startsOperation({ schema }: Pick<RouteOptions, "schema">): boolean {
  const answers = schema?.response as { readonly 202?: unknown } | undefined;
  return answers?.[202] === OperationAnswer;
}
