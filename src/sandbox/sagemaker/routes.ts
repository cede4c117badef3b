import type pg from "pg";
import type { App } from "../../http/app-types.ts";
import { awsJsonRoutes } from "../aws-json-routes.ts";
import { operations } from "./operations.ts";

/** SageMaker's own API, as far as status and release need it, from the same store as the provider. */
export function sageMakerRoutes(app: App, pool: pg.Pool): void {
  awsJsonRoutes(app, pool, {
    title: "SageMaker",
    path: "/aws/sagemaker",
    protocol: "1.1",
    target: "SageMaker",
    operations,
  });
}
