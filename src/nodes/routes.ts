import type pg from "pg";
import Type from "typebox";
import { type App, Moment, problems } from "../http/app-types.ts";
import { listNodes, nodeRoles } from "./store.ts";

const PerLane = (description: string) =>
  Type.Object(
    {
      changes: Type.Integer({ description: "Operations that change a stack" }),
      checks: Type.Integer({ description: "Previews and drift checks" }),
    },
    { description },
  );

const NodeView = Type.Object(
  {
    id: Type.String({ description: "Stays the same when the node is started again with its data folder" }),
    hostname: Type.String({ description: "Name of its machine or container" }),
    role: Type.Enum([...nodeRoles], {
      description: "`api` takes requests, `worker` runs operations, `all` does both",
    }),
    version: Type.String({ description: "Version of the service that it runs" }),
    alive: Type.Boolean({ description: "Whether it has said within 20 seconds that it lives" }),
    startedAt: Moment("When it was started"),
    seenAt: Moment("When it last said that it lives"),
    places: PerLane("Operations that it runs at once"),
    running: PerLane("Operations that it runs"),
  },
  { description: "A process of the service" },
);

export function nodeRoutes(app: App, { pool }: { readonly pool: pg.Pool }): void {
  app.get(
    "/nodes",
    {
      schema: {
        summary: "List the nodes of the service: those that live, and those that died within a week",
        tags: ["service"],
        response: {
          200: Type.Object({ items: Type.Array(NodeView) }, { description: "Nodes" }),
          ...problems(),
        },
      },
    },
    async () => ({
      items: (await listNodes(pool)).map((node) => ({
        ...node,
        startedAt: node.startedAt.toISOString(),
        seenAt: node.seenAt.toISOString(),
      })),
    }),
  );
}
