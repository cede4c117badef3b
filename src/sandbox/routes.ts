import type { FastifyPluginAsync } from "fastify";
import type pg from "pg";
import type { App } from "../http/app-types.ts";
import { faultRoutes } from "./api/fault-routes.ts";
import { resourceRoutes } from "./api/resource-routes.ts";
import { sageMakerRoutes } from "./sagemaker/routes.ts";
import { Schema } from "./schema.ts";

export interface SandboxRoutesOptions {
  readonly pool: pg.Pool;
}

/** What can be seen of and done to the sandbox from outside: its inventory, faults on order, and a part of SageMaker's API. */
export const sandboxRoutes: FastifyPluginAsync<SandboxRoutesOptions> = async (instance, { pool }) => {
  const app = instance as unknown as App;
  const schema = new Schema();
  resourceRoutes(app, pool, schema);
  faultRoutes(app, pool, schema);
  sageMakerRoutes(app, pool);
};
