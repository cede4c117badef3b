import Type, { type Static } from "typebox";
import { auditContext } from "../../audit/trail.ts";
import { AppError } from "../../errors.ts";
import { type App, Moment, problems } from "../../http/app-types.ts";
import { inTransaction } from "../../postgres/pool.ts";
import { type Fault, faultKinds, faultMoments, faultOperations } from "../faults.ts";
import type { SandboxRoutesOptions } from "../routes.ts";
import type { Schema } from "../schema.ts";
import { closestName } from "../similar-names.ts";

const FaultId = Type.String({ format: "uuid", description: "Id of a fault" });

const FaultBody = Type.Object(
  {
    kind: Type.Enum(faultKinds, {
      description:
        "throttle: AWS says no to every retry; error: the given error; latency: the call takes longer",
    }),
    type: Type.String({
      default: "*",
      maxLength: 200,
      description: "Pulumi type of the resources struck, or *",
    }),
    operation: Type.Enum(faultOperations, { default: "*", description: "Which calls are struck" }),
    moment: Type.Enum(faultMoments, {
      default: "before",
      description:
        "before: nothing has been changed yet; after: all is done and only the answer is late (latency only)",
    }),
    account: Type.Optional(Type.String({ pattern: "^\\d{12}$", description: "Only calls in this account" })),
    probability: Type.Number({
      default: 1,
      exclusiveMinimum: 0,
      maximum: 1,
      description: "How likely a call is struck",
    }),
    count: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: "Calls struck before it wears off; for ever if absent",
      }),
    ),
    code: Type.Optional(
      Type.String({
        pattern: "^[A-Za-z][\\w.]*$",
        maxLength: 100,
        description: "AWS's error code, such as AccessDenied",
      }),
    ),
    message: Type.Optional(
      Type.String({ maxLength: 1000, pattern: "^[^\\u0000]*$", description: "AWS's message" }),
    ),
    latencyMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 3_600_000,
        description: "How much longer the call takes, for any kind",
      }),
    ),
    latencyFactor: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 10,
        description: "Creations take so many times as long as they typically do on AWS: 1 is realistic",
      }),
    ),
  },
  { additionalProperties: false, description: "A fault on order" },
);

const FaultView = Type.Object(
  {
    id: FaultId,
    ...FaultBody.properties,
    remaining: Type.Optional(
      Type.Integer({ description: "Calls it will still strike, if it was given a count" }),
    ),
    createdAt: Moment("When it was ordered"),
  },
  { description: "A fault that strikes calls of the sandbox" },
);

function view(fault: Fault): Static<typeof FaultView> {
  return {
    id: fault.id,
    kind: fault.kind,
    type: fault.type,
    operation: fault.operation,
    moment: fault.moment,
    probability: fault.probability,
    ...(fault.account !== null && { account: fault.account }),
    ...(fault.remaining !== null && { remaining: fault.remaining }),
    ...(fault.code !== null && { code: fault.code }),
    ...(fault.message !== null && { message: fault.message }),
    ...(fault.latency_ms !== null && { latencyMs: fault.latency_ms }),
    ...(fault.latency_factor !== null && { latencyFactor: fault.latency_factor }),
    createdAt: fault.created_at.toISOString(),
  };
}

function assertUsable(body: Static<typeof FaultBody>, schema: Schema): void {
  if (body.type !== "*" && !schema.resource(body.type)) {
    const close = closestName(body.type, schema.tokens());
    throw invalidField(
      "/type",
      `"${body.type}" is no type of the sandbox${close ? `: did you mean "${close}"?` : ""}`,
    );
  }
  if (body.kind === "latency" && body.latencyMs === undefined && body.latencyFactor === undefined) {
    throw invalidField("/latencyMs", "or latencyFactor is required by a fault of the kind latency");
  }
  if (body.kind === "error" && body.code === undefined) {
    throw invalidField("/code", "is required by a fault of the kind error");
  }
  if (body.moment === "after" && body.kind !== "latency") {
    throw invalidField("/moment", `"after" goes with the kind latency only, and not with ${body.kind}`);
  }
}

function invalidField(path: string, message: string): AppError {
  return new AppError("invalid_request", `The fault is not valid: ${path} ${message}`, {
    details: { errors: [{ path, message }] },
  });
}

export function faultRoutes(app: App, { pool, audit }: SandboxRoutesOptions, schema: Schema): void {
  app.get(
    "/v1/faults",
    {
      schema: {
        summary: "List the faults on order",
        tags: ["sandbox"],
        response: {
          200: Type.Object(
            { items: Type.Array(FaultView, { description: "Oldest first" }) },
            { description: "Faults" },
          ),
          ...problems(),
        },
      },
    },
    async () => {
      const { rows } = await pool.query<Fault>("select * from sandbox.faults order by created_at, id");
      return { items: rows.map(view) };
    },
  );

  app.post(
    "/v1/faults",
    {
      schema: {
        summary: "Order a fault",
        description:
          "From now on it strikes the matching calls of every operation, until it wears off or is deleted.",
        tags: ["sandbox"],
        body: FaultBody,
        response: { 201: FaultView, ...problems(413, 415) },
      },
    },
    async (request, reply) => {
      const { body } = request;
      assertUsable(body, schema);
      const ordered = await inTransaction(pool, async (client) => {
        const { rows } = await client.query<Fault>(
          `insert into sandbox.faults (kind, type, operation, account, probability, remaining, code, message,
           latency_ms, latency_factor, moment)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning *`,
          [
            body.kind,
            body.type,
            body.operation,
            body.account ?? null,
            body.probability,
            body.count ?? null,
            body.code ?? null,
            body.message ?? null,
            body.latencyMs ?? null,
            body.latencyFactor ?? null,
            body.moment,
          ],
        );
        const after = rows.map(view)[0] as Static<typeof FaultView>;
        await audit.change(client, auditContext(request), {
          action: "sandbox_fault.create",
          team: null,
          target: `/sandbox/v1/faults/${after.id}`,
          after,
        });
        return after;
      });
      return reply.code(201).send(ordered);
    },
  );

  app.delete(
    "/v1/faults",
    {
      schema: {
        summary: "Delete all faults",
        tags: ["sandbox"],
        response: { 204: Type.Null({ description: "Deleted" }), ...problems() },
      },
    },
    async (request, reply) => {
      await inTransaction(pool, async (client) => {
        const { rows } = await client.query<Fault>("delete from sandbox.faults returning *");
        if (rows.length === 0) return;
        await audit.change(client, auditContext(request), {
          action: "sandbox_fault.delete",
          team: null,
          target: "/sandbox/v1/faults",
          before: { items: rows.map(view) },
        });
      });
      return reply.code(204).send(null);
    },
  );

  app.delete(
    "/v1/faults/:id",
    {
      schema: {
        summary: "Delete a fault",
        tags: ["sandbox"],
        params: Type.Object({ id: FaultId }),
        response: { 204: Type.Null({ description: "Deleted" }), ...problems(404) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await inTransaction(pool, async (client) => {
        const { rows } = await client.query<Fault>("delete from sandbox.faults where id = $1 returning *", [
          id,
        ]);
        const [before] = rows.map(view);
        if (before === undefined) {
          throw new AppError(
            "sandbox_fault_not_found",
            `The sandbox has no fault ${id}: GET /sandbox/v1/faults lists them`,
          );
        }
        await audit.change(client, auditContext(request), {
          action: "sandbox_fault.delete",
          team: null,
          target: `/sandbox/v1/faults/${id}`,
          before,
        });
      });
      return reply.code(204).send(null);
    },
  );
}
