import type { App } from "../../http/app-types.ts";
import { awsJsonRoutes } from "../aws-json-routes.ts";
import type { SandboxRoutesOptions } from "../routes.ts";
import { operations } from "./operations.ts";

/** SageMaker's own API, as far as status and release need it, from the same store as the provider. */
export function sageMakerRoutes(app: App, options: SandboxRoutesOptions): void {
  awsJsonRoutes(app, options, {
    title: "SageMaker",
    path: "/aws/sagemaker",
    protocol: "1.1",
    target: "SageMaker",
    operations,
  });
}
