import type { FastifyPluginAsync } from "fastify";
import type pg from "pg";
import type { AuditTrail } from "../audit/trail.ts";
import type { App } from "../http/app-types.ts";
import { faultRoutes } from "./api/fault-routes.ts";
import { resourceRoutes } from "./api/resource-routes.ts";
import { typeRoutes } from "./api/type-routes.ts";
import { cloudControlRoutes } from "./cloudcontrol/routes.ts";
import { sageMakerRoutes } from "./sagemaker/routes.ts";
import { Schema } from "./schema.ts";
import { taggingRoutes } from "./tagging/routes.ts";

export interface SandboxRoutesOptions {
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
  /** Only the parts of AWS's own APIs, which the service itself asks. */
  readonly onlyAws?: boolean;
}

/** What can be seen of and done to the sandbox from outside: its inventory, faults on order, and parts of AWS's own APIs. */
export const sandboxRoutes: FastifyPluginAsync<SandboxRoutesOptions> = async (instance, options) => {
  const app = instance as unknown as App;
  if (!options.onlyAws) {
    const schema = new Schema();
    resourceRoutes(app, options, schema);
    typeRoutes(app, schema);
    faultRoutes(app, options, schema);
  }
  cloudControlRoutes(app, options);
  sageMakerRoutes(app, options);
  taggingRoutes(app, options);
};
