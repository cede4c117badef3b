import { type Document, uniqueName, validSpec } from "../../support/builders.ts";
import type { Answer, Api } from "../api.ts";

/** Requests about one pipeline, of a name that no other test uses; SQL plays the worker's part. */
export class PipelineRequests {
  readonly name: string;
  readonly url: string;
  readonly #api: Api;

  constructor(api: Api, team: string, name = uniqueName("churn")) {
    this.#api = api;
    this.name = name;
    this.url = `/v1/teams/${team}/pipelines/${name}`;
  }

  put(body: Document = validSpec(), headers = {}): Promise<Answer> {
    return this.#api.send("PUT", this.url, { body, headers });
  }

  patch(body: Document, headers = {}): Promise<Answer> {
    return this.#api.send("PATCH", this.url, { body, headers });
  }

  delete(): Promise<Answer> {
    return this.#api.send("DELETE", this.url);
  }

  async read(): Promise<Document> {
    return (await this.#api.send("GET", this.url)).body;
  }

  async revisions(): Promise<Document[]> {
    return (await this.#api.send("GET", `${this.url}/revisions`)).body.items;
  }

  /** What the worker does when an update has succeeded. */
  async applied(operationId: string): Promise<void> {
    await this.#ended(operationId);
    await this.#api.database.pool.query(
      `update pipelines set applied_revision = o.revision from operations o
       where o.id = $1 and pipelines.id = o.pipeline_id`,
      [operationId],
    );
  }

  /** What the worker does when a destroy has succeeded. */
  async destroyed(operationId: string): Promise<void> {
    await this.#ended(operationId);
    await this.#api.database.pool.query(
      `update pipelines set deleted_at = now(), applied_revision = null from operations o
       where o.id = $1 and pipelines.id = o.pipeline_id`,
      [operationId],
    );
  }

  async #ended(operationId: string): Promise<void> {
    await this.#api.database.pool.query(
      "update operations set state = 'succeeded', started_at = now(), finished_at = now() where id = $1",
      [operationId],
    );
  }
}

export const withBudget = (monthlyUsd: number) =>
  validSpec((spec) => {
    spec.budget = { monthlyUsd };
  });
