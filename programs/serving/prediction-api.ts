import { createHash } from "node:crypto";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { HandlerFunction } from "../components/handler-function.ts";
import type { PipelineKeys } from "../components/pipeline-keys.ts";
import type { PipelineSetting } from "../phases/pipeline-setting.ts";
import type { Tags } from "../tags.ts";
import { ApiAuthorizer } from "./api-authorizer.ts";
import { apiPolicy } from "./api-policy.ts";
import { ApiStage } from "./api-stage.ts";
import { requestModel } from "./request-model.ts";

export interface PredictionApiArgs {
  readonly setting: PipelineSetting;
  readonly keys: PipelineKeys;
  readonly gate: HandlerFunction;
  /** With `serving.auth: jwt` only. */
  readonly authorizer: HandlerFunction | undefined;
  readonly tags: Tags;
}

/** How long API Gateway waits for an answer; the gate's own limit is a second less. */
const INTEGRATION_TIMEOUT_MS = 29_000;

const ROUTES = [
  // The key counts and limits; it is no proof of identity.
  { name: "predict", part: "predictions", httpMethod: "POST", checked: true, apiKeyRequired: true },
  { name: "health", part: "health", httpMethod: "GET", checked: false, apiKeyRequired: false },
] as const;

type Route = (typeof ROUTES)[number];

// Without the error's own message, which names ARNs and policies.
const REFUSAL = JSON.stringify({
  code: "$context.error.responseType",
  requestId: "$context.requestId",
});

/** The REST API in front of the model: who may ask, what a request looks like, how often, and what is logged of it. */
export class PredictionApi extends pulumi.ComponentResource {
  readonly id: pulumi.Output<string>;
  readonly stage: ApiStage;

  constructor(name: string, args: PredictionApiArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:PredictionApi", name, {}, opts);
    const { setting, tags } = args;
    const { names, team, pipeline } = setting;
    const api = new aws.apigateway.RestApi(
      name,
      {
        name: names.named("api"),
        description: `AIDLC ${team}/${pipeline}: predictions`,
        endpointConfiguration: { types: "REGIONAL" },
        // TLS 1.2 and 1.3 with forward secrecy, for the API's own host name, which stays the only one.
        securityPolicy: "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09",
        endpointAccessMode: "STRICT",
        tags,
      },
      { parent: this },
    );
    this.id = api.id;
    const definition = new Definition(this, name, api, args);
    this.stage = new ApiStage(
      `${name}-stage`,
      { setting, keys: args.keys, api, deployment: definition.deploy(), tags },
      { parent: this },
    );
    this.registerOutputs({ id: api.id });
  }
}

/**
 * Everything that a deployment takes a picture of. It is replaced whenever one of these changes, after the change: its trigger is
 * a hash of their inputs that waits for all of their ids.
 */
class Definition {
  readonly #parts: { readonly id: pulumi.Output<string>; readonly content: pulumi.Input<unknown> }[] = [];

  readonly #within: pulumi.CustomResourceOptions;
  readonly #name: string;
  readonly #api: aws.apigateway.RestApi;

  constructor(parent: pulumi.Resource, name: string, api: aws.apigateway.RestApi, args: PredictionApiArgs) {
    this.#within = { parent };
    this.#name = name;
    this.#api = api;
    const { setting, gate, authorizer } = args;
    this.#restrict(setting);
    this.#refuse();
    const guard =
      authorizer &&
      new ApiAuthorizer(`${name}-authorizer`, { setting, api, function: authorizer }, this.#within);
    const authorization = guard
      ? guard.id.apply((authorizerId): Authorization => ({ authorization: "CUSTOM", authorizerId }))
      : pulumi.output<Authorization>({ authorization: "AWS_IAM" });
    const check = this.#check(setting);
    for (const route of ROUTES) this.#route(route, authorization, gate, check);
  }

  #add<T extends pulumi.CustomResource>(resource: T, content: pulumi.Input<unknown>): T {
    this.#parts.push({ id: resource.id, content });
    return resource;
  }

  #restrict(setting: PipelineSetting): void {
    const policy = this.#api.executionArn.apply((arn) => apiPolicy(setting, arn));
    this.#add(
      new aws.apigateway.RestApiPolicy(
        `${this.#name}-policy`,
        { restApiId: this.#api.id, policy },
        this.#within,
      ),
      policy,
    );
  }

  #refuse(): void {
    for (const responseType of ["DEFAULT_4XX", "DEFAULT_5XX"]) {
      const content = {
        responseType,
        responseTemplates: { "application/json": REFUSAL },
        responseParameters: {
          "gatewayresponse.header.Cache-Control": "'no-store'",
          "gatewayresponse.header.Strict-Transport-Security": "'max-age=63072000; includeSubDomains'",
          "gatewayresponse.header.X-Content-Type-Options": "'nosniff'",
        },
      };
      this.#add(
        new aws.apigateway.Response(
          `${this.#name}-${responseType.toLowerCase().replace("_", "-")}`,
          { restApiId: this.#api.id, ...content },
          this.#within,
        ),
        content,
      );
    }
  }

  #check({ names, spec }: PipelineSetting): RequestCheck {
    const schema = JSON.stringify(requestModel(spec.dataset));
    const model = this.#add(
      new aws.apigateway.Model(
        `${this.#name}-request`,
        {
          restApi: this.#api.id,
          // Letters and digits only; models are named within their API.
          name: "PredictionRequest",
          description: "Rows of the data set",
          contentType: "application/json",
          schema,
        },
        this.#within,
      ),
      schema,
    );
    const validator = new aws.apigateway.RequestValidator(
      `${this.#name}-validator`,
      {
        restApi: this.#api.id,
        name: names.named("requests"),
        validateRequestBody: true,
        validateRequestParameters: true,
      },
      this.#within,
    );
    return { modelName: model.name, validatorId: validator.id };
  }

  #route(
    { name, part, httpMethod, checked, apiKeyRequired }: Route,
    authorization: pulumi.Output<Authorization>,
    gate: HandlerFunction,
    check: RequestCheck,
  ): void {
    const restApi = this.#api.id;
    const resource = new aws.apigateway.Resource(
      `${this.#name}-${name}-path`,
      { restApi, parentId: this.#api.rootResourceId, pathPart: part },
      this.#within,
    );
    const content = {
      httpMethod,
      apiKeyRequired,
      authorization: authorization.apply((all) => all.authorization),
      authorizerId: authorization.apply((all) => all.authorizerId),
      ...(checked && {
        // Whatever content type it claims: a body of an unlisted one would pass unchecked.
        requestModels: { $default: check.modelName },
        requestValidatorId: check.validatorId,
      }),
    };
    const method = this.#add(
      new aws.apigateway.Method(
        `${this.#name}-${name}`,
        { restApi, resourceId: resource.id, ...content } as aws.apigateway.MethodArgs,
        this.#within,
      ),
      content,
    );
    const integration = {
      type: "AWS_PROXY",
      // Lambda is invoked by POST whatever the caller used.
      integrationHttpMethod: "POST",
      uri: gate.function.invokeArn,
      timeoutMilliseconds: INTEGRATION_TIMEOUT_MS,
    };
    this.#add(
      new aws.apigateway.Integration(
        `${this.#name}-${name}-gate`,
        { restApi, resourceId: resource.id, httpMethod: method.httpMethod, ...integration },
        this.#within,
      ),
      integration,
    );
    new aws.lambda.Permission(
      `${this.#name}-${name}-permission`,
      {
        statementId: `api-${name}`,
        action: "lambda:InvokeFunction",
        function: gate.function.name,
        principal: "apigateway.amazonaws.com",
        sourceArn: pulumi.interpolate`${this.#api.executionArn}/*/${httpMethod}/${part}`,
      },
      this.#within,
    );
  }

  deploy(): aws.apigateway.Deployment {
    const content = pulumi.all(this.#parts.map((part) => pulumi.output(part.content)));
    const made = pulumi.all(this.#parts.map(({ id }) => id));
    return new aws.apigateway.Deployment(
      `${this.#name}-deployment`,
      {
        restApi: this.#api.id,
        triggers: { redeployment: pulumi.all([content, made]).apply(([all]) => fingerprint(all)) },
      },
      this.#within,
    );
  }
}

interface Authorization {
  readonly authorization: "CUSTOM" | "AWS_IAM";
  readonly authorizerId?: string;
}

interface RequestCheck {
  readonly modelName: pulumi.Output<string>;
  readonly validatorId: pulumi.Output<string>;
}

const fingerprint = (content: unknown) =>
  createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 16);
