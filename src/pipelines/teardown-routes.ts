import Type from "typebox";
import { type App, problems } from "../http/app-types.ts";
import { OperationAnswer } from "../operations/schema.ts";
import { type PipelineServices, submitOnApplied } from "./changes.ts";
import { extendExpiry } from "./expiry.ts";
import { confirmLoss } from "./losses.ts";
import { Reason, ReasonQuery } from "./reason.ts";
import { accepted, changeRequest, RevisionPreconditions } from "./routes.ts";
import { PipelineParams, PipelineSummary, summaryView } from "./schema.ts";

const longestExtensionHours = 8_760;

/** The end of a pipeline, and how to put it off. */
export function pipelineTeardownRoutes(app: App, services: PipelineServices): void {
  app.delete(
    "/teams/:team/pipelines/:pipeline",
    {
      schema: {
        summary: "Tear a pipeline down",
        tags: ["pipelines"],
        params: PipelineParams,
        headers: RevisionPreconditions,
        querystring: Type.Object(
          {
            data: Type.Enum(["retain", "delete"], {
              default: "retain",
              description:
                "`retain` leaves buckets, keys and models in the account; `delete` removes them for good",
            }),
            confirm: Type.Optional(
              Type.String({
                maxLength: 100,
                description:
                  "For `data=delete`: `<team>/<pipeline>`, typed out. Without it nothing happens, and the answer tells what would be lost",
              }),
            ),
            ...ReasonQuery,
          },
          { additionalProperties: false },
        ),
        response: { 202: OperationAnswer, ...problems(404, 409, 412) },
      },
    },
    async (request, reply) => {
      const { data, confirm, reason } = request.query;
      const operation = await submitOnApplied(
        services,
        changeRequest(request, reason),
        "destroy",
        { data },
        async (client, pipeline) => {
          if (data === "delete") await confirmLoss(client, pipeline, confirm);
        },
      );
      return accepted(reply, operation);
    },
  );

  app.post(
    "/teams/:team/pipelines/:pipeline/extensions",
    {
      schema: {
        summary: "Put off the end of a pipeline that has a ttl",
        tags: ["pipelines"],
        params: PipelineParams,
        body: Type.Object(
          {
            hours: Type.Integer({
              minimum: 1,
              maximum: longestExtensionHours,
              description: "Hours after its end so far, or after now where that has passed",
            }),
            reason: Type.Optional(Reason),
          },
          { additionalProperties: false, description: "How much longer it lives" },
        ),
        response: { 200: PipelineSummary, ...problems(404, 409, 413, 415) },
      },
    },
    async (request) => {
      const { hours, reason } = request.body;
      return summaryView(await extendExpiry(services, changeRequest(request, reason), hours));
    },
  );
}
