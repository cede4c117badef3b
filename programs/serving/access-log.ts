/**
 * What API Gateway writes about a request: never a body, a header or a token
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html).
 */
export const ACCESS_LOG_FORMAT = JSON.stringify({
  requestId: "$context.requestId",
  requestTime: "$context.requestTimeEpoch",
  method: "$context.httpMethod",
  path: "$context.resourcePath",
  status: "$context.status",
  errorType: "$context.error.responseType",
  latencyMs: "$context.responseLatency",
  integrationLatencyMs: "$context.integrationLatency",
  integrationStatus: "$context.integration.status",
  responseBytes: "$context.responseLength",
  sourceIp: "$context.identity.sourceIp",
  caller: "$context.identity.userArn",
  subject: "$context.authorizer.principalId",
  apiKeyId: "$context.identity.apiKeyId",
  webAclResponse: "$context.waf.status",
  tlsVersion: "$context.tlsVersion",
  traceId: "$context.xrayTraceId",
});
