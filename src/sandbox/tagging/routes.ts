import type { App } from "../../http/app-types.ts";
import { awsJsonRoutes } from "../aws-json-routes.ts";
import type { SandboxRoutesOptions } from "../routes.ts";
import { operations } from "./operations.ts";

/** A part of the Resource Groups Tagging API: recovery and sweeps find by owner what no stack knows. */
export function taggingRoutes(app: App, options: SandboxRoutesOptions): void {
  awsJsonRoutes(app, options, {
    title: "Resource Groups Tagging API",
    path: "/aws/tagging",
    protocol: "1.1",
    target: "ResourceGroupsTaggingAPI_20170126",
    operations,
  });
}
