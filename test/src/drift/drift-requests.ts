import { randomUUID } from "node:crypto";
import { recordOutcome } from "../../../src/drift/outcome.ts";
import type { RunOutcome, Step } from "../../../src/engine/protocol.ts";
import type { OperationKind } from "../../../src/operations/states.ts";
import { findOperation, type Operation, type OperationOptions } from "../../../src/operations/store.ts";
import { inTransaction } from "../../../src/postgres/pool.ts";
import { type Document, uniqueName, validSpec } from "../../support/builders.ts";
import type { Answer, Api, RequestOptions } from "../api.ts";

export const day = 86_400_000;
export const inDays = (days: number) => new Date(Date.now() + days * day).toISOString();

const urnOf = (type: string, name: string) => `urn:pulumi:s::p::aidlc:phase:Infrastructure$${type}::${name}`;

export const bucket = "aws:s3/bucket:Bucket";
export const versioning = "aws:s3/bucketVersioning:BucketVersioning";

export function changed(type: string, name: string, path: string, before: unknown, after: unknown): Step {
  return {
    action: "update",
    urn: urnOf(type, name),
    type,
    name,
    phase: "infrastructure",
    awsId: `${name}-1`,
    changes: [{ path, kind: "update", before, after }],
  };
}

export function gone(type: string, name: string): Step {
  return {
    action: "delete",
    urn: urnOf(type, name),
    type,
    name,
    phase: "infrastructure",
    awsId: `${name}-1`,
    changes: [],
  };
}

export const suspended = changed(versioning, "raw", "versioningConfiguration.status", "Enabled", "Suspended");
export const shorter = changed("aws:cloudwatch/logGroup:LogGroup", "gate-logs", "retentionInDays", 30, 60);
export const promoted = changed("aws:lambda/alias:Alias", "live", "functionVersion", "1", "2");

/** A pipeline that was applied, its drift, and what may be done about it; the worker's part is played here. */
export class DriftRequests {
  readonly url: string;
  readonly name: string;
  readonly team: string;
  readonly #api: Api;

  private constructor(api: Api, team: string, name: string) {
    this.#api = api;
    this.team = team;
    this.name = name;
    this.url = `/v1/teams/${team}/pipelines/${name}`;
  }

  static async create(api: Api, team: string, spec: Document = validSpec()): Promise<DriftRequests> {
    const requests = new DriftRequests(api, team, uniqueName("churn"));
    const { body } = await api.send("PUT", requests.url, { body: spec });
    await requests.ended(body.id);
    return requests;
  }

  send(method: string, path: string, body?: unknown): Promise<Answer> {
    const options: RequestOptions = body === undefined ? {} : { body };
    return this.#api.send(method, `${this.url}${path}`, options);
  }

  async id(): Promise<string> {
    return (await this.send("GET", "")).body.id;
  }

  async drifts(query = ""): Promise<Document[]> {
    return (await this.send("GET", `/drift${query}`)).body.drifts;
  }

  /** The only drift of a property of this path. */
  async drift(path: string, query = ""): Promise<Document> {
    return (await this.drifts(query)).find((each) => (each.path ?? "") === path);
  }

  decide(id: string, body: Document): Promise<Answer> {
    return this.send("POST", `/drift/${id}/decisions`, { reason: "Because of the audit", ...body });
  }

  /** Ends an operation as the worker does: by its outcome, with all that follows from it. */
  async ended(id: string, outcome: Partial<RunOutcome> = {}): Promise<void> {
    const { pool } = this.#api.database;
    const whole: RunOutcome = { state: "succeeded", changes: {}, steps: [], stackExists: true, ...outcome };
    await inTransaction(pool, async (client) => {
      await client.query(
        `update operations set state = $2, started_at = now(), result = $3, error = $4,
           finished_at = case when $2 <> 'awaiting_approval' then clock_timestamp() end
         where id = $1`,
        [
          id,
          whole.state,
          JSON.stringify({ changes: {}, steps: whole.steps }),
          whole.error === undefined ? null : JSON.stringify(whole.error),
        ],
      );
      await client.query("select pg_notify('operation_changed', $1)", [id]);
      const operation = (await findOperation(client, id)) as Operation;
      if (operation.kind === "update" && whole.state === "succeeded")
        await client.query("update pipelines set applied_revision = $2 where name = $1", [
          this.name,
          operation.revision,
        ]);
      const { subject } = operation;
      if (subject.type === "pipeline")
        await recordOutcome(client, subject.pipelineId as string, operation, whole, new Date());
    });
  }

  /** What a drift check finds. */
  async check(...steps: Step[]): Promise<string> {
    const { id } = (await this.send("POST", "/drift-checks")).body;
    await this.ended(id, { steps });
    return id;
  }

  /** An operation that ended long ago or otherwise than by a request. */
  async operation(kind: OperationKind, options: OperationOptions = {}): Promise<Operation> {
    const { pool } = this.#api.database;
    const id = randomUUID();
    await pool.query(
      `insert into operations (id, kind, stack_id, team, pipeline, pipeline_id, revision, request_id, options)
       select $1, $2, stack_id, team, name, id, 1, 'r', $4 from pipelines where name = $3`,
      [id, kind, this.name, JSON.stringify(options)],
    );
    return (await findOperation(pool, id)) as Operation;
  }
}
