import { beforeAll, describe, expect, it } from "vitest";
import type { Statement } from "../../../programs/policy-document.ts";
import { ofType, type Run, resource } from "../support/run-program.ts";
import { learning, names } from "../support/serving.ts";

const JWT = { auth: "jwt", jwt: { issuer: "https://id.example.com/", audience: "churn" } } as const;

const apiGateway = (run: Run, type: string, name: string) => resource(run, `apigateway/${type}`, name).inputs;

function resourcePolicy(run: Run): readonly Statement[] {
  const { policy } = apiGateway(run, "restApiPolicy:RestApiPolicy", "api-policy");
  return JSON.parse(String(policy)).Statement;
}

describe("the API", () => {
  let run: Run;
  beforeAll(async () => {
    run = await learning({ throttle: { ratePerSecond: 3, burst: 7, dailyQuota: 500 } });
  });

  it("answers in its region only, by TLS 1.2 or later with forward secrecy", () => {
    expect(apiGateway(run, "restApi:RestApi", "api")).toMatchObject({
      name: names.named("api"),
      endpointConfiguration: { types: "REGIONAL" },
      securityPolicy: "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09",
      endpointAccessMode: "STRICT",
    });
  });

  it("checks the body of a prediction whatever content type it claims", () => {
    expect(apiGateway(run, "method:Method", "api-predict")).toMatchObject({
      httpMethod: "POST",
      requestModels: { $default: "PredictionRequest" },
      requestValidatorId: "api-validator-id",
    });
    expect(apiGateway(run, "requestValidator:RequestValidator", "api-validator")).toMatchObject({
      validateRequestBody: true,
    });
    const { schema } = apiGateway(run, "model:Model", "api-request");
    expect(JSON.parse(String(schema)).properties.instances.items.properties).toEqual({
      species: { type: "string" },
    });
  });

  it("hands both routes to the gate, which nothing else of API Gateway may call", () => {
    for (const name of ["predict", "health"]) {
      expect(apiGateway(run, "integration:Integration", `api-${name}-gate`)).toMatchObject({
        type: "AWS_PROXY",
        integrationHttpMethod: "POST",
        uri: "arn:aws:apigateway:test:lambda:path/gate",
      });
    }
    const permissions = ["predict", "health"].map(
      (name) => resource(run, "lambda/permission:Permission", `api-${name}-permission`).inputs.sourceArn,
    );
    expect(permissions).toEqual([
      "arn:aws:execute-api:eu-west-1:111122223333:api/*/POST/predictions",
      "arn:aws:execute-api:eu-west-1:111122223333:api/*/GET/health",
    ]);
  });

  it("lets nobody in without proof of identity", () => {
    const methods = ofType(run, "apigateway/method:Method").map(({ inputs }) => inputs.authorization);
    expect(methods).toEqual(["AWS_IAM", "AWS_IAM"]);
    const [allowed, denied] = resourcePolicy(run);
    expect(allowed).toMatchObject({ Effect: "Allow", Principal: { AWS: "arn:aws:iam::111122223333:root" } });
    expect(denied).toMatchObject({
      Effect: "Deny",
      Condition: { StringNotEquals: { "aws:PrincipalTag/aidlc:team": "fraud" } },
    });
  });

  it("says nothing of why it refuses but the kind", () => {
    for (const kind of ["4xx", "5xx"]) {
      const { responseTemplates } = apiGateway(run, "response:Response", `api-default-${kind}`);
      const { "application/json": template } = responseTemplates as Record<string, string>;
      expect(template).not.toContain("messageString");
      expect(JSON.parse(template ?? "")).toEqual({
        code: "$context.error.responseType",
        requestId: "$context.requestId",
      });
    }
  });

  it("logs requests without their bodies, traces them and caches nothing", () => {
    const stage = apiGateway(run, "stage:Stage", "api-stage");
    expect(stage).toMatchObject({ xrayTracingEnabled: true, cacheClusterEnabled: false });
    const { format } = stage.accessLogSettings as { format: string };
    expect(Object.keys(JSON.parse(format))).toEqual(
      expect.arrayContaining(["requestId", "status", "latencyMs", "caller", "sourceIp"]),
    );
    expect(format).not.toMatch(/body|header|authorizer\.claims/i);
    expect(apiGateway(run, "methodSettings:MethodSettings", "api-stage-settings")).toMatchObject({
      methodPath: "*/*",
      settings: {
        metricsEnabled: true,
        loggingLevel: "ERROR",
        dataTraceEnabled: false,
        cachingEnabled: false,
      },
    });
  });

  it("has both of its log groups before it writes to them, encrypted and with an end", () => {
    for (const [name, physical] of [
      ["api-access-logs", names.logGroup("api")],
      ["api-execution-logs", "API-Gateway-Execution-Logs_api-id/live"],
    ] as const) {
      expect(resource(run, "cloudwatch/logGroup:LogGroup", name).inputs).toMatchObject({
        name: physical,
        kmsKeyId: "arn:aws:test:::logs-key",
        retentionInDays: 30,
      });
    }
  });

  it("limits all requests together, and each key by the day", () => {
    expect(apiGateway(run, "methodSettings:MethodSettings", "api-stage-settings").settings).toMatchObject({
      throttlingRateLimit: 3,
      throttlingBurstLimit: 7,
    });
    expect(apiGateway(run, "usagePlan:UsagePlan", "api-stage-usage")).toMatchObject({
      quotaSettings: { limit: 500, period: "DAY" },
      throttleSettings: { rateLimit: 3, burstLimit: 7 },
    });
    expect(apiGateway(run, "method:Method", "api-predict").apiKeyRequired).toBe(true);
    expect(JSON.stringify(run.outputs.serving)).not.toContain("value");
  });

  it("is traced as a group of its own", () => {
    expect(resource(run, "xray/group:Group", "api-traces").inputs).toMatchObject({
      groupName: names.short("api"),
      filterExpression: `service("${names.named("api")}/live")`,
    });
    expect(
      String(resource(run, "xray/samplingRule:SamplingRule", "api-sampling").inputs.ruleName).length,
    ).toBeLessThanOrEqual(32);
  });
});

describe("a deployment of the API", () => {
  const fingerprint = (run: Run) =>
    (apiGateway(run, "deployment:Deployment", "api-deployment").triggers as Record<string, string>)
      .redeployment;

  it("is made again when what callers may send or who may call changes, and not for a limit", async () => {
    const first = fingerprint(await learning({}));
    expect(fingerprint(await learning({ throttle: { ratePerSecond: 1 } }))).toBe(first);
    expect(fingerprint(await learning(JWT))).not.toBe(first);
  });
});

describe("an API that takes tokens", () => {
  let run: Run;
  beforeAll(async () => {
    run = await learning(JWT);
  });

  it("asks a function of its own, which knows issuer and audience, and keeps the answer for five minutes", () => {
    expect(apiGateway(run, "authorizer:Authorizer", "api-authorizer")).toMatchObject({
      type: "TOKEN",
      authorizerUri: "arn:aws:apigateway:test:lambda:path/authorizer",
      authorizerResultTtlInSeconds: 300,
    });
    const { environment } = resource(run, "lambda/function:Function", "authorizer").inputs;
    expect((environment as { variables: object }).variables).toMatchObject({
      AIDLC_JWT_ISSUER: "https://id.example.com/",
      AIDLC_JWT_AUDIENCE: "churn",
    });
  });

  it("refuses what is no token by its form without asking anybody", () => {
    const { identityValidationExpression } = apiGateway(run, "authorizer:Authorizer", "api-authorizer");
    const pattern = new RegExp(String(identityValidationExpression));
    expect(pattern.test("Bearer aaa.bbb.ccc-_1")).toBe(true);
    expect(
      ["Bearer aaa", "aaa.bbb.ccc", "Bearer aaa.bbb.ccc\nX"].filter((text) => pattern.test(text)),
    ).toEqual([]);
  });

  it("sends every method through it", () => {
    for (const { inputs } of ofType(run, "apigateway/method:Method")) {
      expect(inputs).toMatchObject({ authorization: "CUSTOM", authorizerId: "api-authorizer-id" });
    }
  });

  it("has no such function where callers prove themselves by IAM", async () => {
    const names = ofType(await learning({}), "lambda/function:Function").map(({ name }) => name);
    expect(names).not.toContain("authorizer");
  });
});
