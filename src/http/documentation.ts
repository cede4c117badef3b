import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifySchema } from "fastify";
import { version } from "../version.ts";
import type { App } from "./app-types.ts";
import { documentationPolicy } from "./browser-protection.ts";

/** Serves the OpenAPI document made from the routes' schemas, and pages to read and try it. */
export async function documentation(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "AIDLC control plane",
        version,
        description: "Provisions, updates, watches and tears down the AIDLC pipelines of ML teams on AWS.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
      security: [{ bearer: [] }],
      tags: [
        { name: "access", description: "API keys, members and their roles" },
        { name: "teams", description: "Who owns pipelines" },
        { name: "accounts", description: "AWS accounts and their foundations" },
        { name: "pipelines", description: "Pipelines, their revisions, resources and status" },
        { name: "operations", description: "Long-running actions and their events" },
        { name: "webhooks", description: "Addresses of teams that are told of what happens" },
        { name: "policies", description: "What every preview and update is checked against, and exceptions" },
        { name: "sandbox", description: "The stand-in for AWS" },
        { name: "service", description: "The service itself" },
      ],
    },
    transform: ({ schema, url }) => ({ schema: documented(schema), url }),
    transformObject: (document) => {
      if (!("openapiObject" in document)) return document.swaggerObject;
      const { openapiObject } = document;
      for (const [path, methods] of Object.entries(openapiObject.paths ?? {})) {
        for (const [method, operation] of Object.entries(methods ?? {}))
          complete(operation as Operation, method, path);
      }
      return openapiObject;
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) => String(json.$id ?? `def-${index}`),
    },
  });
  await app.register(swaggerUi, { routePrefix: "/docs", staticCSP: documentationPolicy });
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly default?: unknown;
}

/**
 * A schema as a caller sees it: what has a default needn't be given. (Validation fills the defaults in first and then finds
 * everything there, so its schemas say "required".)
 */
export function withOptionalDefaults<Schema extends object>(schema: Schema): Schema {
  const { properties, required, items } = schema as JsonSchema;
  if (items !== undefined) return { ...schema, items: withOptionalDefaults(items) };
  if (properties === undefined) return schema;
  const inner = Object.entries(properties).map(([name, part]) => [name, withOptionalDefaults(part)]);
  const needed = (required ?? []).filter((name) => properties[name]?.default === undefined);
  return { ...schema, properties: Object.fromEntries(inner), required: needed };
}

/** A route's schema for the document: defaults optional, and bodies that are parsed elsewhere by the name they are known by. */
function documented(schema: FastifySchema): FastifySchema {
  const { body, querystring } = schema as { body?: object; querystring?: object };
  return {
    ...schema,
    ...(querystring === undefined ? {} : { querystring: withOptionalDefaults(querystring) }),
    ...(body === undefined ? {} : { body: named(withOptionalDefaults(body)) }),
  };
}

function named(part: object): object {
  if ("x-documented-as" in part) return { $ref: part["x-documented-as"] };
  const { properties } = part as JsonSchema;
  if (properties === undefined) return part;
  const inner = Object.entries(properties).map(([name, property]) => [name, named(property)]);
  return { ...part, properties: Object.fromEntries(inner) };
}

interface Operation {
  operationId?: string;
  requestBody?: { required?: boolean };
  responses?: Record<string, { headers?: object; content?: Record<string, object> }>;
}

const location = { description: "Where the operation can be read", schema: { type: "string" } };
const retryAfter = { description: "Seconds to wait before trying again", schema: { type: "integer" } };
const text = { schema: { type: "string" } };

/** Adds what a route's schema can't say. */
function complete(operation: Operation, method: string, path: string): void {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== "" && word !== "v1");
  operation.operationId = [method, ...words.map((word) => word[0]?.toUpperCase() + word.slice(1))].join("");
  const { requestBody, responses = {} } = operation;
  if (/\/(previews|bootstrap)$/.test(path) && requestBody) requestBody.required = false;
  if (responses[202]) responses[202].headers = { location };
  for (const status of [429, 503]) {
    if (responses[status]) responses[status].headers = { "retry-after": retryAfter };
  }
  const content = responses[200]?.content;
  if (content && path.endsWith("/events")) content["text/event-stream"] = text;
  if (responses[200] && path === "/metrics") responses[200].content = { "text/plain": text };
}
