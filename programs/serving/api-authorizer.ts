import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { HandlerFunction } from "../components/handler-function.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";

export interface ApiAuthorizerArgs {
  readonly setting: PipelineSetting;
  readonly api: aws.apigateway.RestApi;
  readonly function: HandlerFunction;
}

/** How long a decision about a token holds; a revoked token works no longer than that. */
const CACHE_SECONDS = 300;

/** Asks a function about the bearer token. What is no JWT by its form is refused without the function. */
export class ApiAuthorizer extends pulumi.ComponentResource {
  /** Known once the function may be asked. */
  readonly id: pulumi.Output<string>;

  constructor(name: string, args: ApiAuthorizerArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:ApiAuthorizer", name, {}, opts);
    const { setting, api } = args;
    const authorizer = new aws.apigateway.Authorizer(
      name,
      {
        restApi: api.id,
        name: setting.names.named("authorizer"),
        type: "TOKEN",
        authorizerUri: args.function.function.invokeArn,
        identitySource: "method.request.header.Authorization",
        identityValidationExpression: "^Bearer [-_A-Za-z0-9]+\\.[-_A-Za-z0-9]+\\.[-_A-Za-z0-9]+$",
        authorizerResultTtlInSeconds: CACHE_SECONDS,
      },
      { parent: this },
    );
    const permission = new aws.lambda.Permission(
      `${name}-permission`,
      {
        statementId: "api-authorizer",
        action: "lambda:InvokeFunction",
        function: args.function.function.name,
        principal: "apigateway.amazonaws.com",
        sourceArn: pulumi.interpolate`${api.executionArn}/authorizers/${authorizer.id}`,
      },
      { parent: this },
    );
    this.id = pulumi.all([authorizer.id, permission.id]).apply(([id]) => id);
    this.registerOutputs({ id: authorizer.id });
  }
}
