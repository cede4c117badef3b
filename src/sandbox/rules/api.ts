import { parseJson } from "../json-text.ts";
import { isUnknown } from "../values.ts";
import {
  atMost,
  failure,
  isGiven,
  objectOf,
  objectsOf,
  type Rules,
  repeated,
  textOf,
  textsAt,
} from "./rule.ts";

/** API Gateway, CloudFront and WAF. */
export const apiRules: Rules = {
  *"apigateway/authorizer"(inputs) {
    if (inputs.type === "COGNITO_USER_POOLS") {
      if (!isGiven(inputs.providerArns))
        yield failure("providerArns", "is required by COGNITO_USER_POOLS: set it");
    } else if (!isGiven(inputs.authorizerUri)) {
      yield failure(
        "authorizerUri",
        `is required by ${textOf(inputs.type) ?? "TOKEN"}: set the function's invokeArn`,
      );
    }
  },
  *"apigateway/integration"(inputs) {
    const { type, uri } = inputs;
    if (type === "MOCK") return;
    if (!isGiven(uri))
      yield failure("uri", `is required by an integration of type ${textOf(type) ?? ""}: set it`);
    if (textOf(uri)?.startsWith("arn:aws:lambda:")) {
      yield failure("uri", "must be the function's invokeArn, not its ARN");
    }
    if (type !== "HTTP_PROXY" && !isGiven(inputs.integrationHttpMethod)) {
      yield failure("integrationHttpMethod", `is required by ${textOf(type) ?? ""}: set it`);
    }
    const method = textOf(inputs.integrationHttpMethod);
    if (textOf(uri)?.includes(":lambda:path/") && method !== undefined && method !== "POST") {
      yield failure(
        "integrationHttpMethod",
        `must be "POST", not "${method}": functions are invoked by POST`,
      );
    }
    if (inputs.connectionType === "VPC_LINK" && !isGiven(inputs.connectionId)) {
      yield failure("connectionId", "is required by VPC_LINK: set it");
    }
    yield* statusMappings(inputs.requestParameters, "integration.request.");
  },
  *"apigateway/method"(inputs) {
    const { authorization } = inputs;
    const needsOne = authorization === "CUSTOM" || authorization === "COGNITO_USER_POOLS";
    if (needsOne && !isGiven(inputs.authorizerId)) {
      yield failure("authorizerId", `is required by the authorization ${String(authorization)}: set it`);
    }
    yield* statusMappings(inputs.requestParameters, "method.request.");
  },
  *"apigateway/model"(inputs) {
    const schema = textOf(inputs.schema);
    if (schema !== undefined && parseJson(schema) === undefined) {
      yield failure("schema", "Invalid model schema specified: it must be JSON");
    }
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
    yield* atMost("schema", bytesOfSchema(schema), 400 * 1024, "bytes", "split it");
  },
  *"apigateway/restApi"(inputs) {
    const types = textsAt(inputs, "endpointConfiguration", "types");
    if (types.includes("PRIVATE") && !isGiven(inputs.policy) && !isGiven(inputs.body)) {
      yield failure(
        "policy",
        "Private REST API doesn't have a resource policy attached to it: set it, or aws.apigateway.RestApiPolicy",
      );
    }
    const ids = objectOf(inputs.endpointConfiguration).vpcEndpointIds;
    if (isGiven(ids) && !types.includes("PRIVATE")) {
      yield failure("endpointConfiguration", "vpcEndpointIds are for PRIVATE endpoints: leave them out");
    }
  },
  *"apigateway/stage"(inputs) {
    if (inputs.cacheClusterEnabled === true && !isGiven(inputs.cacheClusterSize)) {
      yield failure("cacheClusterSize", "is required by cacheClusterEnabled: set it");
    }
    const format = textOf(objectOf(inputs.accessLogSettings).format);
    if (format !== undefined && !format.includes("$context.")) {
      yield failure(
        ["accessLogSettings", "format"],
        "must name context variables, such as $context.requestId",
      );
    }
  },
  *"cloudfront/distribution"(inputs) {
    const origins = new Set([
      ...textsAt(inputs, "origins", "originId"),
      ...textsAt(inputs, "originGroups", "originId"),
    ]);
    const behaviors = ["defaultCacheBehavior", "orderedCacheBehaviors"];
    for (const name of behaviors) {
      for (const origin of textsAt(inputs, name, "targetOriginId")) {
        if (!origins.has(origin))
          yield failure(
            [name, "targetOriginId"],
            `names "${origin}", which is none of the origins: ${[...origins].join(", ")}`,
          );
      }
    }
    const certificate = objectOf(inputs.viewerCertificate);
    const arn = textOf(certificate.acmCertificateArn);
    // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html
    if (arn !== undefined && arn.split(":")[3] !== "us-east-1") {
      yield failure(
        ["viewerCertificate", "acmCertificateArn"],
        `must be a certificate of us-east-1, not "${arn}"`,
      );
    }
    if (arn !== undefined && !isGiven(certificate.sslSupportMethod)) {
      yield failure(["viewerCertificate", "sslSupportMethod"], "is required by a certificate: set sni-only");
    }
    if (textsAt(inputs, "aliases").length > 0 && certificate.cloudfrontDefaultCertificate === true) {
      yield failure("aliases", "need a certificate of their own: set viewerCertificate.acmCertificateArn");
    }
    const acl = textOf(inputs.webAclId);
    if (acl?.startsWith("arn:") && !acl.includes(":us-east-1:")) {
      yield failure("webAclId", `must be a web ACL of scope CLOUDFRONT in us-east-1, not "${acl}"`);
    }
    // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
    yield* atMost("origins", objectsOf(inputs.origins).length, 100, "origins", "use several distributions");
  },
  *"wafv2/webAcl"(inputs) {
    const rules = objectsOf(inputs.rules);
    for (const name of repeated(rules.map(({ name }) => String(name))))
      yield failure("rules", `has two rules of the name "${name}": rename one`);
    for (const priority of repeated(rules.map(({ priority }) => String(priority))))
      yield failure("rules", `has two rules of the priority ${priority}: give each its own`);
    for (const [index, rule] of rules.entries()) {
      const statement = objectOf(rule.statement);
      const isGroup =
        isGiven(statement.managedRuleGroupStatement) || isGiven(statement.ruleGroupReferenceStatement);
      const needed = isGroup ? "overrideAction" : "action";
      const other = isGroup ? "action" : "overrideAction";
      if (!isGiven(rule[needed]) && Object.keys(statement).length > 0)
        yield failure(["rules", index, needed], `is required by rule "${String(rule.name)}": set it`);
      if (isGiven(rule[other]))
        yield failure(
          ["rules", index, other],
          `doesn't fit the statement of rule "${String(rule.name)}": use ${needed}`,
        );
    }
    const { allow, block } = objectOf(inputs.defaultAction);
    if (!isUnknown(inputs.defaultAction) && isGiven(allow) === isGiven(block)) {
      yield failure("defaultAction", "must be either allow or block");
    }
  },
  *"wafv2/webAclLoggingConfiguration"(inputs) {
    // https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html
    for (const destination of textsAt(inputs, "logDestinationConfigs")) {
      const name = destination.split(/[:/]/).find((part) => part.startsWith("aws-waf-logs-"));
      if (name === undefined)
        yield failure(
          "logDestinationConfigs",
          `must begin with "aws-waf-logs-" by name, "${destination}" does not`,
        );
    }
  },
};

function bytesOfSchema(schema: string | undefined): number {
  return Buffer.byteLength(schema ?? "");
}

function* statusMappings(parameters: unknown, prefix: string) {
  for (const name of Object.keys(parameters ?? {})) {
    if (!name.startsWith(prefix))
      yield failure(
        ["requestParameters", name],
        `Invalid mapping expression specified: the key must begin with "${prefix}"`,
      );
  }
}
