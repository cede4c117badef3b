import { randomUUID } from "node:crypto";

interface Asked {
  readonly httpMethod?: string;
  readonly resource?: string;
  readonly body?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isBase64Encoded?: boolean;
  /** What the authorizer of `serving.auth: jwt` says; without it the caller is an IAM role. */
  readonly subject?: string;
  readonly userArn?: string | null;
  readonly apiKeyId?: string | null;
}

/** A request as a REST API hands it to a function (https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html). */
export function aProxyEvent({
  httpMethod = "POST",
  resource = "/predictions",
  body = null,
  headers = {},
  isBase64Encoded = false,
  subject,
  userArn = subject === undefined
    ? "arn:aws:sts::123456789012:assumed-role/research-app/i-0aaaaaaaaaaaaaaaa"
    : null,
  apiKeyId = "n2xnxga958",
}: Asked) {
  const host = "qa1b2c3d4e.execute-api.eu-west-1.amazonaws.com";
  const all: Record<string, string> = {
    Accept: "application/json",
    "Content-Type": "application/json",
    Host: host,
    "User-Agent": "python-requests/2.32.3",
    "X-Amzn-Trace-Id": "Root=1-6650a1b2-0123456789abcdef01234567",
    "X-Forwarded-For": "198.51.100.7",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
    "x-api-key": "0123456789abcdefghijABCDEFGHIJ0123456789",
    ...headers,
  };
  return {
    resource,
    path: resource,
    httpMethod,
    headers: all,
    multiValueHeaders: Object.fromEntries(Object.entries(all).map(([name, value]) => [name, [value]])),
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: null,
    stageVariables: null,
    requestContext: {
      resourceId: "9n0x1a",
      ...(subject !== undefined && { authorizer: { principalId: subject, integrationLatency: 12 } }),
      resourcePath: resource,
      httpMethod,
      extendedRequestId: "Zk3f2GhuDoEFmIA=",
      requestTime: "01/Mar/2026:05:02:29 +0000",
      path: `/live${resource}`,
      accountId: "123456789012",
      protocol: "HTTP/1.1",
      stage: "live",
      domainPrefix: "qa1b2c3d4e",
      requestTimeEpoch: 1_772_341_349_985,
      requestId: randomUUID(),
      identity: {
        cognitoIdentityPoolId: null,
        accountId: userArn === null ? null : "123456789012",
        cognitoIdentityId: null,
        apiKey: "0123456789abcdefghijABCDEFGHIJ0123456789",
        apiKeyId,
        caller: userArn === null ? null : "AROAAAAAAAAAAAAAAAAAA:i-0aaaaaaaaaaaaaaaa",
        sourceIp: "198.51.100.7",
        principalOrgId: null,
        accessKey: userArn === null ? null : "ASIAAAAAAAAAAAAAAAAA",
        cognitoAuthenticationType: null,
        cognitoAuthenticationProvider: null,
        userArn,
        userAgent: "python-requests/2.32.3",
        user: userArn === null ? null : "AROAAAAAAAAAAAAAAAAAA:i-0aaaaaaaaaaaaaaaa",
      },
      domainName: host,
      deploymentId: "5f3k2j",
      apiId: "qa1b2c3d4e",
    },
    body,
    isBase64Encoded,
  };
}

/** What Lambda hands to a function besides, as far as ours look at it. */
export const aContext = (remainingMs = 28_000) => ({ getRemainingTimeInMillis: () => remainingMs });
