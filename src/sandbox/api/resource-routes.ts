import type { FastifyRequest } from "fastify";
import type pg from "pg";
import Type, { type Static } from "typebox";
import { auditContext } from "../../audit/trail.ts";
import { AppError } from "../../errors.ts";
import { type App, Moment, problems, singleLine } from "../../http/app-types.ts";
import { cursorPart, PageQuery, pageOf, parseCursor, toPage } from "../../http/pages.ts";
import { inTransaction } from "../../postgres/pool.ts";
import { parentKeys } from "../lifecycle.ts";
import type { SandboxRoutesOptions } from "../routes.ts";
import type { ResourceType, Schema } from "../schema.ts";
import { ResourceStore, type StoredResource } from "../store.ts";
import type { PropertyMap } from "../values.ts";
import { changeByHand } from "./hand-change.ts";
import { createByHand } from "./hand-creation.ts";
import { changeResource, findResource, listResources, setContents } from "./inventory.ts";
import { maskSecrets } from "./masking.ts";

const ResourceId = Type.String({
  format: "uuid",
  description: "The sandbox's own id of a resource; it never changes",
});

const Properties = (description: string) => Type.Record(Type.String(), Type.Unknown(), { description });

const ResourceView = Type.Object(
  {
    id: ResourceId,
    type: Type.String({ description: "Pulumi type, such as aws:s3/bucket:Bucket" }),
    awsId: Type.String({ description: "The id that AWS and Pulumi know it by" }),
    arn: Type.Optional(Type.String({ description: "Its ARN, where the type has one" })),
    account: Type.String({ description: "The account that it is in" }),
    region: Type.String({ description: "The region that it was created through" }),
    inputs: Properties("What was set, by a program or by hand; secrets are masked"),
    outputs: Properties("What the provider shows of it; secrets are masked"),
    contents: Type.Integer({ description: "Objects, images or recovery points in it" }),
    deletionDueAt: Type.Optional(Moment("When a key or secret whose deletion is scheduled will be gone")),
    createdAt: Moment("When it was created"),
    updatedAt: Moment("When it was last changed"),
  },
  { description: "A resource of the sandbox" },
);

const ResourceQuery = Type.Object(
  {
    ...PageQuery,
    type: Type.Optional(
      Type.String({ maxLength: 200, pattern: singleLine, description: "Only this Pulumi type" }),
    ),
    account: Type.Optional(Type.String({ pattern: "^\\d{12}$", description: "Only this account" })),
    region: Type.Optional(
      Type.String({ maxLength: 40, pattern: singleLine, description: "Only this region" }),
    ),
    team: Type.Optional(
      Type.String({ maxLength: 256, pattern: singleLine, description: "Only with this tag aidlc:team" }),
    ),
    pipeline: Type.Optional(
      Type.String({ maxLength: 256, pattern: singleLine, description: "Only with this tag aidlc:pipeline" }),
    ),
    tag: Type.Optional(
      Type.String({
        pattern: "^[^=\\u0000-\\u001f]+=[^\\u0000-\\u001f]*$",
        maxLength: 400,
        description: "Only with this tag, written key=value",
      }),
    ),
    includeScheduled: Type.Boolean({
      default: false,
      description: "Also keys and secrets whose deletion is scheduled",
    }),
  },
  { additionalProperties: false },
);

const ResourceParams = Type.Object({ id: ResourceId });

const Patch = Type.Record(Type.String(), Type.Unknown(), {
  minProperties: 1,
  description: "JSON merge patch (RFC 7396) of the resource's input properties: null removes a property",
});

const Contents = Type.Object(
  { items: Type.Integer({ minimum: 0, maximum: 2_000_000_000, description: "How many it shall hold" }) },
  { additionalProperties: false, description: "What a bucket, an image repository or a backup vault holds" },
);

function view(row: StoredResource): Static<typeof ResourceView> {
  const { __defaults: _, ...inputs } = row.inputs;
  return {
    id: row.id,
    type: row.type,
    awsId: row.aws_id,
    ...(row.arn !== null && { arn: row.arn }),
    account: row.account,
    region: row.region,
    inputs: maskSecrets(inputs, row.secrets),
    outputs: maskSecrets(row.outputs, row.secrets),
    contents: row.contents,
    ...(row.deletion_due_at && { deletionDueAt: row.deletion_due_at.toISOString() }),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

// The names of properties are enough for the audit trail: what somebody wrote there by hand may be a secret.
function identityOf({ type, aws_id: awsId, account, region }: StoredResource) {
  return { type, awsId, account, region };
}

function tagsOf(query: Static<typeof ResourceQuery>): Record<string, string> {
  const tags: Record<string, string> = {};
  if (query.team !== undefined) tags["aidlc:team"] = query.team;
  if (query.pipeline !== undefined) tags["aidlc:pipeline"] = query.pipeline;
  const separator = query.tag?.indexOf("=") ?? -1;
  if (query.tag !== undefined) tags[query.tag.slice(0, separator)] = query.tag.slice(separator + 1);
  return tags;
}

function notFound(id: string): AppError {
  return new AppError(
    "sandbox_resource_not_found",
    `The sandbox has no resource ${id}: GET /sandbox/v1/resources lists them`,
  );
}

const NewResource = Type.Object(
  {
    type: Type.String({
      maxLength: 200,
      description: "Pulumi type, such as aws:guardduty/detector:Detector",
    }),
    name: Type.Optional(
      Type.String({ maxLength: 512, description: "Its physical name; otherwise it has an automatic one" }),
    ),
    inputs: Properties("Input properties of the type"),
    region: Type.String({ pattern: "^[a-z]{2}(-[a-z]+)+-\\d$", description: "Where it is" }),
    account: Type.String({ pattern: "^\\d{12}$", description: "Whose it is" }),
  },
  { additionalProperties: false, description: "A resource that no stack owns" },
);

export function resourceRoutes(app: App, { pool, audit }: SandboxRoutesOptions, schema: Schema): void {
  const get = async (id: string): Promise<{ row: StoredResource; type: ResourceType }> => {
    const row = await findResource(pool, id);
    const type = row && schema.resource(row.type);
    if (!row || !type) throw notFound(id);
    return { row, type };
  };
  const record = (
    client: pg.PoolClient,
    request: FastifyRequest,
    verb: string,
    id: string,
    stands: { readonly before?: unknown; readonly after?: unknown },
  ) =>
    audit.change(client, auditContext(request), {
      action: `sandbox_resource.${verb}`,
      team: null,
      target: `/sandbox/v1/resources/${id}`,
      ...stands,
    });

  app.get(
    "/v1/resources",
    {
      schema: {
        summary: "List what the sandbox holds, oldest first",
        description: "Parts of a resource, such as a bucket's policy, are found by the tags of the whole.",
        tags: ["sandbox"],
        querystring: ResourceQuery,
        response: { 200: pageOf(ResourceView, "Resources"), ...problems() },
      },
    },
    async ({ query }) => {
      const [after = "0"] = parseCursor(query.cursor, cursorPart.count) ?? [];
      const rows = await listResources(pool, {
        type: query.type,
        account: query.account,
        region: query.region,
        tags: tagsOf(query),
        includesScheduled: query.includeScheduled,
        after: Number(after),
        limit: query.limit,
      });
      return toPage(rows, query.limit, view, (row) => [String(row.number)]);
    },
  );

  app.post(
    "/v1/resources",
    {
      schema: {
        summary: "Create a resource by hand, such as one that was there before the first stack",
        description: "It is checked as a program's would be. Orders of faults don't strike it.",
        tags: ["sandbox"],
        body: NewResource,
        response: { 201: ResourceView, ...problems(413, 415) },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const id = await createByHand(pool, schema, { ...body, inputs: body.inputs as PropertyMap });
      const { row } = await get(id);
      // After the creation, which is several transactions, as on AWS.
      await inTransaction(pool, (client) =>
        record(client, request, "create", id, {
          after: { ...identityOf(row), properties: Object.keys(body.inputs) },
        }),
      );
      return reply.code(201).send(view(row));
    },
  );

  app.get(
    "/v1/resources/:id",
    {
      schema: {
        summary: "Read a resource of the sandbox",
        tags: ["sandbox"],
        params: ResourceParams,
        response: { 200: ResourceView, ...problems(404) },
      },
    },
    async (request) => view((await get(request.params.id)).row),
  );

  app.patch(
    "/v1/resources/:id",
    {
      schema: {
        summary: "Change a resource by hand, as somebody in the AWS console would",
        description: "The next drift check finds the change. What AWS would refuse is refused.",
        tags: ["sandbox"],
        params: ResourceParams,
        body: Patch,
        response: { 200: ResourceView, ...problems(404, 413, 415) },
      },
    },
    async (request) => {
      const { row, type } = await get(request.params.id);
      const change = changeByHand(schema, type, row, request.body as PropertyMap);
      return inTransaction(pool, async (client) => {
        const changed = await changeResource(client, row, change);
        if (!changed)
          throw new AppError("unavailable", `${row.aws_id} was being changed at the same time: try again`);
        await record(client, request, "update", row.id, {
          before: identityOf(row),
          after: { ...identityOf(changed), properties: Object.keys(request.body) },
        });
        return view(changed);
      });
    },
  );

  app.put(
    "/v1/resources/:id/contents",
    {
      schema: {
        summary: "Say how much a bucket, image repository or backup vault holds",
        description: "AWS refuses to delete one that isn't empty, unless the program asked for that.",
        tags: ["sandbox"],
        params: ResourceParams,
        body: Contents,
        response: { 200: ResourceView, ...problems(404, 413, 415) },
      },
    },
    async (request) => {
      const { id } = request.params;
      return inTransaction(pool, async (client) => {
        const before = await findResource(client, id);
        const changed = await setContents(client, id, request.body.items);
        if (!before || !changed) throw notFound(id);
        await record(client, request, "fill", id, {
          before: { ...identityOf(before), contents: before.contents },
          after: { ...identityOf(changed), contents: changed.contents },
        });
        return view(changed);
      });
    },
  );

  app.delete(
    "/v1/resources/:id",
    {
      schema: {
        summary: "Delete a resource by hand, with all its parts",
        description: "Nothing stands in its way, as in the AWS console, which empties and detaches first.",
        tags: ["sandbox"],
        params: ResourceParams,
        response: { 204: Type.Null({ description: "Deleted" }), ...problems(404) },
      },
    },
    async (request, reply) => {
      const { row, type } = await get(request.params.id);
      await inTransaction(pool, async (client) => {
        const asParent = parentKeys(type, row.aws_id, row.outputs);
        await new ResourceStore(client).delete(row.identity, row.aws_id, asParent);
        await record(client, request, "delete", row.id, { before: identityOf(row) });
      });
      return reply.code(204).send(null);
    },
  );
}
