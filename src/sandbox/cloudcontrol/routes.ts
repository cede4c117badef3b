import type { App } from "../../http/app-types.ts";
import { awsJsonRoutes } from "../aws-json-routes.ts";
import type { SandboxRoutesOptions } from "../routes.ts";
import { operations } from "./operations.ts";

/** A part of Cloud Control API: what an account had before the first stack is found through it. */
export function cloudControlRoutes(app: App, options: SandboxRoutesOptions): void {
  awsJsonRoutes(app, options, {
    title: "Cloud Control API",
    path: "/aws/cloudcontrol",
    protocol: "1.0",
    target: "CloudApiService",
    operations,
  });
}
