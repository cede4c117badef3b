import type { FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import type pg from "pg";
import Type, { type TObject } from "typebox";
import { digestOf } from "../digest.ts";
import { AppError } from "../errors.ts";
import { type App, problems } from "../http/app-types.ts";
import { operationView } from "../operations/schema.ts";
import { findOperation } from "../operations/store.ts";
import type { Queryable } from "../postgres/pool.ts";
import {
  claimKey,
  confirmChange,
  type EarlierRequest,
  keepAnswer,
  type RequestKey,
  releaseKey,
  type StoredAnswer,
} from "./store.ts";

/** A request's hold on its Idempotency-Key. */
export interface RequestClaim {
  /**
   * Notes in the transaction of a change that the request was carried out, or throws `request_in_progress` when another one has
   * taken the key over: then nothing may be changed.
   */
  confirm(
    db: Queryable,
    change: { readonly target: string; readonly operationId: string | null },
  ): Promise<void>;
}

interface HeldClaim extends RequestClaim {
  readonly key: RequestKey;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Set while a request with an Idempotency-Key is being carried out. */
    claim: RequestClaim | null;
  }
  interface FastifyContextConfig {
    /** The answer holds a secret that is shown this one time: it is not kept for repetitions. */
    answerHoldsSecret?: boolean;
  }
}

const header = "idempotency-key";
const IdempotencyKey = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 255,
    description:
      "Any text of yours that names this request: for 24 hours, sending it again repeats the first answer and does nothing twice",
  }),
);
const changingMethods: readonly string[] = ["POST", "PUT", "PATCH", "DELETE"];
/** What a repetition must be told again. */
const keptHeaders = ["content-type", "location", "etag", "preference-applied"] as const;
// Longer answers are those of operations, which can be read where they are.
const longestBody = 256 * 1024;

/**
 * Lets every route that changes something be called with an Idempotency-Key, as the IETF's draft of that header says. Register it
 * before the routes, and after authorization: what is repeated is for whoever may still do it.
 */
export function idempotency(app: App, pool: pg.Pool): void {
  const claims = new WeakMap<FastifyRequest, HeldClaim>();
  app.decorateRequest("claim", null);
  app.addHook("onRoute", acceptKey);
  app.addHook("preHandler", async (request, reply) => {
    const given = request.headers[header];
    if (typeof given !== "string" || !takesKey(request.routeOptions)) return;
    const key = { subject: request.principal.subject, team: teamOf(request), keyDigest: digestOf(given) };
    const digest = digestOf([
      request.method,
      request.url,
      request.headers["if-match"] ?? null,
      request.body ?? null,
      // Without one the digest is that of an earlier version's request, whose key may still be in force.
      ...[request.headers["if-none-match"] ?? []].flat(),
    ]);
    const earlier = await claimKey(pool, key, { id: request.id, digest });
    if (earlier !== "claimed") return repeat(pool, reply, earlier, digest, key.team);
    const claim = heldClaim(key, request.id);
    claims.set(request, claim);
    request.claim = claim;
  });
  app.addHook("onSend", async (request, reply, payload) => {
    const claim = claims.get(request);
    if (claim === undefined) return;
    claims.delete(request);
    await settle(pool, request, reply, claim.key, payload).catch((error: unknown) =>
      // The change itself is on record: whoever asks again is told that much.
      request.log.error({ err: error }, "an answer could not be kept for repetitions"),
    );
  });
}

function takesKey({
  method,
  url = "",
}: {
  readonly method?: unknown;
  readonly url?: string | undefined;
}): boolean {
  // The protocols of AWS have ways of their own to say this.
  return changingMethods.includes(String(method)) && !url.startsWith("/sandbox/aws/");
}

/** Says in a route's schema that it takes a key, and how it refuses one. */
function acceptKey(route: RouteOptions): void {
  if (!takesKey(route) || route.schema === undefined) return;
  const headers = (route.schema.headers as TObject | undefined)?.properties ?? {};
  route.schema = {
    ...route.schema,
    headers: Type.Object({ ...headers, [header]: IdempotencyKey }),
    response: { ...(route.schema.response as object), ...problems(409, 422) },
  };
}

function teamOf({ params, operationTeam }: FastifyRequest): string {
  return (params as { readonly team?: string }).team ?? operationTeam ?? "";
}

function heldClaim(key: RequestKey, requestId: string): HeldClaim {
  return {
    key,
    confirm: async (db, change) => {
      if (await confirmChange(db, key, requestId, change)) return;
      throw inProgress("A repetition of this request took its Idempotency-Key over");
    },
  };
}

async function settle(
  pool: pg.Pool,
  request: FastifyRequest,
  reply: FastifyReply,
  key: RequestKey,
  payload: unknown,
): Promise<void> {
  // What failed without having changed anything may be tried again with the same key.
  if (reply.statusCode >= 400 && (await releaseKey(pool, key, request.id))) return;
  const holdsSecret = request.routeOptions.config.answerHoldsSecret === true;
  const body = typeof payload === "string" && payload !== "" ? payload : null;
  const isKept = !holdsSecret && (body === null || body.length <= longestBody);
  if (!isKept && !holdsSecret) return;
  await keepAnswer(pool, key, request.id, answerOf(reply, isKept ? body : null), holdsSecret);
}

function answerOf(reply: FastifyReply, body: string | null): StoredAnswer {
  const headers = keptHeaders.flatMap((name) => {
    const value = reply.getHeader(name);
    return value === undefined ? [] : [[name, String(value)]];
  });
  return { status: reply.statusCode, headers: Object.fromEntries(headers), body };
}

/** Answers a repetition as the first request was answered; throws where that can't be. */
async function repeat(
  db: Queryable,
  reply: FastifyReply,
  earlier: EarlierRequest,
  digest: string,
  team: string,
): Promise<FastifyReply> {
  const { answer, operationId, target } = earlier;
  if (earlier.requestDigest !== digest) {
    throw new AppError(
      "idempotency_key_reused",
      "The Idempotency-Key was used for a different request: use a new key",
      operationId === null ? {} : { details: { operation: { id: operationId, team } } },
    );
  }
  if (answer !== undefined && !earlier.holdsSecret) {
    reply.code(answer.status).headers(answer.headers);
    return answer.body === null ? reply.send() : reply.send(answer.body);
  }
  const operation = operationId === null ? undefined : await findOperation(db, operationId);
  // Its node died between the change and the answer, or still waits for the operation's end.
  if (operation !== undefined) {
    return reply
      .code(202)
      .header("location", `/v1/operations/${operation.id}`)
      .send(operationView(operation));
  }
  if (answer === undefined && earlier.recent) {
    throw inProgress("A request with this Idempotency-Key is being carried out");
  }
  const why = earlier.holdsSecret ? "held a secret and is not kept" : "was lost";
  throw new AppError(
    "answer_not_kept",
    `The request was carried out, and its answer ${why}: look at /v1${target ?? ""}, and undo it there if it is of no use`,
  );
}

function inProgress(what: string): AppError {
  return new AppError("request_in_progress", `${what}: ask again in a moment`, {
    details: { retryAfterSeconds: 1 },
  });
}
