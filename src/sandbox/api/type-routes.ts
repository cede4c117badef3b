import Type from "typebox";
import { type App, problems } from "../../http/app-types.ts";
import type { Schema } from "../schema.ts";
import { typicalCreateMs } from "../typical-times.ts";

const TypeView = Type.Object(
  {
    type: Type.String({ description: "Pulumi type, such as aws:s3/bucket:Bucket" }),
    typicalCreateMs: Type.Integer({
      description: "How long its creation typically takes on AWS; a latency fault's factor multiplies it",
    }),
  },
  { description: "A type that the sandbox knows" },
);

export function typeRoutes(app: App, schema: Schema): void {
  app.get(
    "/v1/types",
    {
      schema: {
        summary: "List the types that the sandbox knows, with their typical creation times",
        tags: ["sandbox"],
        response: {
          200: Type.Object({ items: Type.Array(TypeView) }, { description: "All types" }),
          ...problems(),
        },
      },
    },
    async () => ({
      items: schema.tokens().map((type) => ({ type, typicalCreateMs: typicalCreateMs(schema, type) })),
    }),
  );
}
