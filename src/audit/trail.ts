import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type pg from "pg";
import type { Principal } from "../access/principal.ts";
import type { RequestClaim } from "../idempotency/requests.ts";
import { inTransaction } from "../postgres/pool.ts";
import { redactText, redactValue } from "../redaction.ts";
import { type AuditEntry, genesisHash, hashKey, hashOf } from "./chain.ts";
import { appendEntry, holdTrail } from "./store.ts";

/** Who did it, from where, in which request. */
export interface AuditContext {
  /** As `Principal.subject`; `anonymous` for whoever could not be told. */
  readonly subject: string;
  readonly label: string;
  /** Null for what the service does by itself. */
  readonly sourceAddress: string | null;
  readonly requestId: string;
  /** Set when the request came with an Idempotency-Key: its change is noted there, too. */
  readonly claim?: RequestClaim | null;
}

export interface AuditedChange {
  /** Noun and verb, such as `pipeline.update`. */
  readonly action: string;
  readonly team: string | null;
  /** The path of what was changed, without `/v1`, such as `/teams/fraud/pipelines/churn`. */
  readonly target: string;
  /** Both without secrets; absent where there was or is nothing. */
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface AuditedDenial {
  readonly method: string;
  /** Without its query, which may hold anything. */
  readonly path: string;
  /** The team whose it is, or would be. */
  readonly team: string | null;
  /** The code of the error that a denial is, such as `forbidden`. */
  readonly reason: string;
}

/** The service itself, where nobody else asked. */
export const serviceSubject = "service";

const nobody = { subject: "anonymous", label: "" };

export function auditContext({
  principal,
  ip,
  id,
  claim,
}: Pick<FastifyRequest, "principal" | "ip" | "id"> & Partial<Pick<FastifyRequest, "claim">>): AuditContext {
  const { subject, label } = (principal as Principal | undefined) ?? nobody;
  return { subject, label, sourceAddress: ip, requestId: id, ...(claim === undefined ? {} : { claim }) };
}

/** What the service does by itself, following up the request with this id. */
export function serviceContext(requestId: string): AuditContext {
  return { subject: serviceSubject, label: "the service", sourceAddress: null, requestId };
}

/** Adds entries to the audit trail, in a chain that only whoever knows `secret` can continue or check. */
export class AuditTrail {
  readonly key: Buffer;

  constructor(secret: string) {
    this.key = hashKey(secret);
  }

  /**
   * Adds a change, in the transaction that makes it: neither exists without the other. Call it last, since it holds the trail's
   * lock until the transaction has ended.
   */
  async change(
    client: pg.PoolClient,
    context: AuditContext,
    { action, team, target, before, after }: AuditedChange,
  ): Promise<void> {
    await context.claim?.confirm(client, { target, operationId: operationOf(target, after) });
    await this.#append(client, {
      ...contextFields(context),
      action,
      team,
      target: text(target),
      outcome: "changed",
      before: document(before),
      after: document(after),
    });
  }

  /** Adds a denied try, in a transaction of its own. */
  async denial(
    pool: pg.Pool,
    context: AuditContext,
    { method, path, team, reason }: AuditedDenial,
  ): Promise<void> {
    await inTransaction(pool, (client) =>
      this.#append(client, {
        ...contextFields(context),
        action: `request.${method.toLowerCase()}`,
        team: team === null ? null : text(team),
        target: text(path),
        outcome: "denied",
        before: null,
        after: document({ reason }),
      }),
    );
  }

  async #append(
    client: pg.PoolClient,
    entry: Omit<AuditEntry, "sequence" | "at" | "previousHash" | "hash">,
  ): Promise<void> {
    const { sequence, hash: previousHash, at } = await holdTrail(client);
    const linked = { ...entry, sequence: sequence + 1, at, previousHash: previousHash ?? genesisHash };
    await appendEntry(client, { ...linked, hash: hashOf(this.key, linked) });
  }
}

const operationPath = /^\/operations\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** The operation that a change started, or was about. */
function operationOf(target: string, after: unknown): string | null {
  const started = (after as { readonly operation?: unknown } | null | undefined)?.operation;
  return operationPath.exec(typeof started === "string" ? `/operations/${started}` : target)?.[1] ?? null;
}

function contextFields(context: AuditContext) {
  return {
    subject: text(context.subject),
    label: text(context.label),
    sourceAddress: context.sourceAddress === null ? null : text(context.sourceAddress),
    requestId: text(context.requestId),
  };
}

const longestText = 1_000;
const largestDocument = 32 * 1024;
const largestField = 2 * 1024;

/** A caller's text as the database can hold it: bounded, without NUL and half characters, and without credentials. */
function text(value: string): string {
  return redactText(value).slice(0, longestText).toWellFormed().replaceAll("\0", "\uFFFD");
}

/** The JSON of a view, masked; a large one keeps its short fields and the digests of the others. */
function document(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  const whole = redactValue(JSON.parse(JSON.stringify(value)), redactText);
  const json = JSON.stringify(whole);
  if (json.length <= largestDocument) return json;
  if (typeof whole !== "object" || whole === null || Array.isArray(whole))
    return JSON.stringify(omitted(json));
  const fields = Object.entries(whole).map(([name, field]) => {
    const fieldJson = JSON.stringify(field);
    return [name, fieldJson.length <= largestField ? field : omitted(fieldJson)];
  });
  const shortened = JSON.stringify(Object.fromEntries(fields));
  return shortened.length <= largestDocument ? shortened : JSON.stringify(omitted(json));
}

function omitted(json: string) {
  return { omittedBytes: Buffer.byteLength(json), sha256: createHash("sha256").update(json).digest("hex") };
}
