import { createHash } from "node:crypto";
import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import { newInferenceId } from "../captures/inference-id.ts";
import { GateProblem } from "./problems.ts";

const Text = Type.Optional(Type.Union([Type.String(), Type.Null()]));

/**
 * What the gate uses of API Gateway's proxy event of a REST API
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html).
 */
const ProxyEvent = Type.Object({
  resource: Type.String(),
  httpMethod: Type.String(),
  headers: Type.Optional(Type.Union([Type.Record(Type.String(), Type.Optional(Type.String())), Type.Null()])),
  body: Text,
  isBase64Encoded: Type.Optional(Type.Boolean()),
  requestContext: Type.Object({
    requestId: Type.String(),
    authorizer: Type.Optional(Type.Union([Type.Object({ principalId: Text }), Type.Null()])),
    identity: Type.Object({ userArn: Text, apiKeyId: Text, sourceIp: Text }),
  }),
});

type ProxyEvent = Static<typeof ProxyEvent>;

const proxyEvent = Compile(ProxyEvent);

export interface GateRequest {
  readonly route: "predict" | "health";
  /** API Gateway's, which stands in its access log too. */
  readonly requestId: string;
  /** Joins the prediction with what turns out to be right. */
  readonly inferenceId: string;
  /** Hash of who asks: the same for all requests of a caller, and no name. */
  readonly caller: string;
  readonly body: string;
}

const ROUTES: Readonly<Record<string, GateRequest["route"]>> = {
  "POST /predictions": "predict",
  "GET /health": "health",
};

const INFERENCE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** API Gateway's id of the request, or an empty text of what is no request. */
export const requestIdOf = (event: unknown): string =>
  proxyEvent.Check(event) ? event.requestContext.requestId : "";

/** Throws `TypeError` for what no REST API sent, and `GateProblem` for what the API would not have let through. */
export function parseRequest(event: unknown, now: Date): GateRequest {
  if (!proxyEvent.Check(event)) throw new TypeError("The event is no proxy event of a REST API");
  const route = ROUTES[`${event.httpMethod} ${event.resource}`];
  if (route === undefined) throw new GateProblem("not_found", "Ask POST /predictions or GET /health");
  const body = event.body ?? "";
  return {
    route,
    requestId: event.requestContext.requestId,
    inferenceId: inferenceId(event, now),
    caller: caller(event),
    body: event.isBase64Encoded === true ? Buffer.from(body, "base64").toString() : body,
  };
}

/** The caller's own, in the header `x-inference-id`, or a new one. */
function inferenceId({ headers }: ProxyEvent, now: Date): string {
  const [, given] =
    Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === "x-inference-id") ?? [];
  if (given === undefined) return newInferenceId(now);
  if (INFERENCE_ID.test(given)) return given;
  throw new GateProblem("invalid_request", "The header x-inference-id is no inference id", {
    errors: [
      {
        path: "headers:/x-inference-id",
        message: "must be 1 to 64 letters, digits, dots, hyphens, underscores",
      },
    ],
  });
}

const HASH_LENGTH = 16;

/**
 * The token's subject, the IAM identity, the API key or the address: the first that the API knows. Sessions of a role are one
 * caller, or whoever probes would begin another session.
 */
function caller({ requestContext: { authorizer, identity } }: ProxyEvent): string {
  const name =
    authorizer?.principalId ??
    identity.userArn?.replace(/^(arn:[^:]*:sts::\d*:assumed-role\/[^/]*)\/.*$/, "$1") ??
    identity.apiKeyId ??
    identity.sourceIp ??
    "";
  return createHash("sha256").update(name).digest("hex").slice(0, HASH_LENGTH);
}
