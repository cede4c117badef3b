import type { FastifyReply, FastifyRequest } from "fastify";
import type pg from "pg";
import Type from "typebox";
import type { App } from "../../http/app-types.ts";
import { AwsError } from "../aws-error.ts";
import { type Caller, operations } from "./operations.ts";

const contentType = "application/x-amz-json-1.1";

/** SageMaker's own API (AWS JSON 1.1), as far as status and release need it, from the same store as the provider. */
export function sageMakerRoutes(app: App, pool: pg.Pool): void {
  app.addContentTypeParser(contentType, { parseAs: "string" }, (_request, body, done) => done(null, body));

  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    reply.type(contentType).serializer((payload: unknown) => JSON.stringify(payload));
    try {
      const input = parseInput(request.body);
      return await operationOf(request)({ pool, caller: callerOf(request) }, input);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return reply.code(400).send({ __type: error.code, message: error.message });
    }
  };

  const schema = {
    summary: "Call SageMaker (AWS JSON 1.1)",
    description: `For AWS SDKs: the header X-Amz-Target names the operation, one of ${Object.keys(operations).join(", ")}. An SDK's endpoint is this path.`,
    tags: ["sandbox"],
    consumes: [contentType],
    headers: Type.Object({
      "x-amz-target": Type.Optional(Type.String({ description: "SageMaker.<Operation>" })),
      "x-aidlc-account": Type.Optional(
        Type.String({ description: "The account to ask; otherwise the signature's key id" }),
      ),
      "x-aidlc-region": Type.Optional(
        Type.String({ description: "The region to ask; otherwise the signature's" }),
      ),
    }),
    response: {
      200: Type.Unknown({ description: "The operation's output" }),
      400: Type.Object(
        {
          __type: Type.String({ description: "AWS's error code" }),
          message: Type.String({ description: "AWS's message" }),
        },
        { description: "AWS's refusal" },
      ),
    },
  };
  app.post("/aws/sagemaker", { schema }, answer);
  // The SDK appends the operation's own path, "/", to the endpoint.
  app.post("/aws/sagemaker/", { schema: { ...schema, hide: true } as typeof schema }, answer);
}

function operationOf(request: FastifyRequest) {
  const target = String(request.headers["x-amz-target"] ?? "");
  const operation = operations[target.replace(/^SageMaker\./, "")];
  if (operation) return operation;
  throw new AwsError(
    "UnknownOperationException",
    `The sandbox doesn't answer "${target}"; it answers ${Object.keys(operations).join(", ")}`,
  );
}

function parseInput(body: unknown): Record<string, unknown> {
  if (typeof body !== "string" || body === "") return {};
  try {
    const input: unknown = JSON.parse(body);
    if (typeof input === "object" && input !== null && !Array.isArray(input)) return { ...input };
  } catch {
    // Falls through to the same answer: no JSON object.
  }
  throw new AwsError("SerializationException", "The body must be a JSON object");
}

/** Whose SageMaker is meant: headers of our own, else the scope of an SDK's signature. What stays open matches any. */
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
