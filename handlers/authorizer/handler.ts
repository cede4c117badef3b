import type { APIGatewayAuthorizerResult } from "aws-lambda";
import Type from "typebox";
import { Value } from "typebox/value";
import { type Environment, variables } from "../runtime/environment.ts";
import { createTelemetry } from "../runtime/telemetry.ts";
import { createTokenVerifier, TokenRefused } from "./token-verifier.ts";

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-lambda-authorizer-input.html */
const AuthorizerEvent = Type.Object({
  type: Type.Literal("TOKEN"),
  authorizationToken: Type.String(),
  methodArn: Type.String({ pattern: "^arn:[^:]+:execute-api:[^:]+:\\d{12}:[^/]+/[^/]+/" }),
});

const BEARER = /^Bearer ([-\w]+\.[-\w]+\.[-\w]+)$/;

/** API Gateway answers 401 to exactly this message, and 500 to every other error. */
const unauthorized = () => new Error("Unauthorized");

/** The API's stage: the decision is kept for a token, whichever of its methods is asked next. */
const stageOf = (methodArn: string) => methodArn.split("/").slice(0, 2).join("/");

/**
 * Decides whose bearer tokens are good. Throws `Unauthorized` for a bad one, and `IssuerUnavailable` where the issuer can't be asked: then
 * nobody is refused for good. Neither tokens nor claims are logged.
 */
export function createHandler(env: Environment) {
  const { AIDLC_JWT_ISSUER: issuer, AIDLC_JWT_AUDIENCE: audience } = variables(env, [
    "AIDLC_JWT_ISSUER",
    "AIDLC_JWT_AUDIENCE",
  ]);
  const { logger } = createTelemetry("authorizer", env);
  const verify = createTokenVerifier({ issuer, audience });

  return async (event: unknown): Promise<APIGatewayAuthorizerResult> => {
    const { authorizationToken, methodArn } = Value.Parse(AuthorizerEvent, event);
    const token = BEARER.exec(authorizationToken)?.[1];
    if (token === undefined) throw unauthorized();
    try {
      const subject = await verify(token);
      return {
        principalId: subject,
        policyDocument: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "execute-api:Invoke", Resource: `${stageOf(methodArn)}/*` }],
        },
        context: { issuer, subject },
      };
    } catch (error) {
      if (!(error instanceof TokenRefused)) {
        logger.error("The issuer can't be asked", { issuer, error: error as Error });
        throw error;
      }
      logger.info("A token was refused", { code: error.code });
      throw unauthorized();
    }
  };
}
