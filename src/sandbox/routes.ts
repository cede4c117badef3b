import type { FastifyPluginAsync } from "fastify";
import type pg from "pg";
import type { App } from "../http/app-types.ts";
import { faultRoutes } from "./api/fault-routes.ts";
import { resourceRoutes } from "./api/resource-routes.ts";
import { typeRoutes } from "./api/type-routes.ts";
import { cloudControlRoutes } from "./cloudcontrol/routes.ts";
import { sageMakerRoutes } from "./sagemaker/routes.ts";
import { Schema } from "./schema.ts";

export interface SandboxRoutesOptions {
  readonly pool: pg.Pool;
}

/** What can be seen of and done to the sandbox from outside: its inventory, faults on order, and parts of AWS's own APIs. */
export const sandboxRoutes: FastifyPluginAsync<SandboxRoutesOptions> = async (instance, { pool }) => {
  const app = instance as unknown as App;
  const schema = new Schema();
  resourceRoutes(app, pool, schema);
  typeRoutes(app, schema);
  faultRoutes(app, pool, schema);
  cloudControlRoutes(app, pool);
  sageMakerRoutes(app, pool);
};
