import type { FastifyReply, FastifyRequest } from "fastify";
import type pg from "pg";
import Type from "typebox";
import { auditContext } from "../audit/trail.ts";
import { type App, problems } from "../http/app-types.ts";
import { inTransaction } from "../postgres/pool.ts";
import { AwsError } from "./aws-error.ts";
import type { SandboxRoutesOptions } from "./routes.ts";

/** Whose resources are meant. Null stands for any. */
export interface Caller {
  readonly account: string | null;
  readonly region: string | null;
}

export type AwsInput = Readonly<Record<string, unknown>>;

export type AwsOperation = (
  context: { readonly pool: pg.Pool; readonly caller: Caller },
  input: AwsInput,
) => Promise<unknown>;

/** One of AWS's services that speak its JSON protocol, as far as the sandbox answers it. */
export interface AwsService {
  readonly title: string;
  readonly path: string;
  readonly protocol: "1.0" | "1.1";
  /** The first half of the header X-Amz-Target. */
  readonly target: string;
  readonly operations: Readonly<Record<string, AwsOperation>>;
}

const Refusal = Type.Object({
  __type: Type.String({ description: "AWS's error code" }),
  message: Type.String({ description: "AWS's message" }),
});

// By AWS's own names for what only reads.
const reads = /^(Describe|List|Get)/;

/** Serves the service at its path: an SDK takes that as its endpoint. */
export function awsJsonRoutes(app: App, { pool, audit }: SandboxRoutesOptions, service: AwsService): void {
  const contentType = `application/x-amz-json-${service.protocol}`;
  // Several services speak the same version.
  if (!app.hasContentTypeParser(contentType)) {
    app.addContentTypeParser(contentType, { parseAs: "string" }, (_request, body, done) => done(null, body));
  }

  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    reply.type(contentType).serializer((payload: unknown) => JSON.stringify(payload));
    try {
      const input = parseInput(request.body);
      const [name, operation] = operationOf(service, request);
      const output = await operation({ pool, caller: callerOf(request) }, input);
      if (!reads.test(name)) {
        // After the change, since AWS's operations are transactions of their own.
        await inTransaction(pool, (client) =>
          audit.change(client, auditContext(request), {
            action: `sandbox_aws.${name}`,
            team: null,
            target: `/sandbox${service.path}`,
            after: output,
          }),
        );
      }
      return output;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return reply.code(400).send({ __type: error.code, message: error.message });
    }
  };

  const names = Object.keys(service.operations).join(", ");
  const schema = {
    summary: `Call ${service.title} (AWS JSON ${service.protocol})`,
    description: `For AWS SDKs: the header X-Amz-Target names the operation, one of ${names}. An SDK's endpoint is this path.`,
    tags: ["sandbox"],
    consumes: [contentType],
    headers: Type.Object({
      "x-amz-target": Type.Optional(Type.String({ description: `${service.target}.<Operation>` })),
      "x-aidlc-account": Type.Optional(
        Type.String({ description: "The account to ask; otherwise the signature's key id" }),
      ),
      "x-aidlc-region": Type.Optional(
        Type.String({ description: "The region to ask; otherwise the signature's" }),
      ),
    }),
    response: {
      ...problems(413, 415),
      200: {
        description: "The operation's output",
        content: { [contentType]: { schema: Type.Unknown({ description: "As AWS answers it" }) } },
      },
      400: {
        description: "AWS's refusal, or the service's own",
        content: {
          [contentType]: { schema: Refusal },
          "application/problem+json": { schema: { $ref: "Problem#" } },
        },
      },
    },
  };
  app.post(service.path, { schema }, answer);
  // The SDK appends the operation's own path, "/", to the endpoint.
  app.post(`${service.path}/`, { schema: { ...schema, hide: true } as typeof schema }, answer);
}

function operationOf(service: AwsService, request: FastifyRequest): [name: string, AwsOperation] {
  const target = String(request.headers["x-amz-target"] ?? "");
  const [, name = target] = target.split(`${service.target}.`);
  // A caller may also name what every object has.
  const operation = Object.hasOwn(service.operations, name) ? service.operations[name] : undefined;
  if (operation) return [name, operation];
  throw new AwsError(
    "UnknownOperationException",
    `The sandbox doesn't answer "${target}"; it answers ${Object.keys(service.operations).join(", ")}`,
  );
}

function parseInput(body: unknown): AwsInput {
  if (typeof body !== "string" || body === "") return {};
  try {
    const input: unknown = JSON.parse(body);
    if (typeof input === "object" && input !== null && !Array.isArray(input)) return { ...input };
  } catch {
    // Falls through to the same answer: no JSON object.
  }
  throw new AwsError("SerializationException", "The body must be a JSON object");
}

/** Headers of our own, else the scope of an SDK's signature. What stays open matches any. */
function callerOf(request: FastifyRequest): Caller {
  const scope = /Credential=(\w+)\/\d+\/([\w-]+)\//.exec(request.headers.authorization ?? "");
  const account =
    request.headers["x-aidlc-account"] ?? (/^\d{12}$/.test(scope?.[1] ?? "") ? scope?.[1] : undefined);
  const region = request.headers["x-aidlc-region"] ?? scope?.[2];
  return { account: text(account), region: text(region) };
}

function text(value: string | string[] | undefined): string | null {
  return typeof value === "string" ? value : null;
}
