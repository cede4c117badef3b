import { arnOf, one, type PolicyCases } from "./policy-cases.ts";

const method = (properties: object) =>
  one("apigateway/method:Method", "predict", { httpMethod: "POST", authorization: "AWS_IAM", ...properties });
const stage = (properties: object = {}) =>
  one("apigateway/stage:Stage", "live", { stageName: "live", ...properties });
const settings = (rate: number) =>
  one("apigateway/methodSettings:MethodSettings", "limits", {
    stageName: "live",
    settings: { throttlingRateLimit: rate },
  });
const rules = (...kinds: readonly string[]) => kinds.map((kind) => ({ statement: { [kind]: {} } }));
const acl = (...kinds: readonly string[]) =>
  one("wafv2/webAcl:WebAcl", "firewall", { rules: rules(...kinds) });
const aclLogs = one("wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", "logs", {
  resourceArn: arnOf("wafv2", "firewall"),
});
const distribution = (viewerProtocolPolicy: string) =>
  one("cloudfront/distribution:Distribution", "edge", {
    defaultCacheBehavior: { viewerProtocolPolicy },
    viewerCertificate: { minimumProtocolVersion: "TLSv1.2_2021" },
    loggingConfig: { bucket: "logs" },
    webAclId: arnOf("wafv2", "firewall"),
  });
const listener = (properties: object) => one("lb/listener:Listener", "listener", properties);
const balancer = one("lb/loadBalancer:LoadBalancer", "front", {
  accessLogs: { enabled: true },
  dropInvalidHeaderFields: true,
});
const task = (change: object) =>
  one("ecs/taskDefinition:TaskDefinition", "serving", {
    containerDefinitions: JSON.stringify([
      {
        name: "model",
        image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/aidlc/inference@sha256:0f",
        readonlyRootFilesystem: true,
        user: "1000",
        logConfiguration: { logDriver: "awslogs" },
        ...change,
      },
    ]),
  });

export const servingCases: PolicyCases = {
  "api-method-authorized": {
    broken: [method({ authorization: "NONE" })],
    kept: [method({}), method({ httpMethod: "OPTIONS", authorization: "NONE" })],
  },
  "api-request-validated": {
    broken: [method({ requestModels: { "application/json": "row" } })],
    kept: [method({ requestValidatorId: "v-1", requestModels: { "application/json": "row" } })],
  },
  "api-stage-access-logged": {
    broken: [stage()],
    kept: [stage({ accessLogSettings: { destinationArn: arnOf("logs", "access") } })],
  },
  "api-stage-traced": {
    broken: [stage({ xrayTracingEnabled: false })],
    kept: [stage({ xrayTracingEnabled: true })],
  },
  "api-throttled": { broken: [stage(), settings(-1)], kept: [stage(), settings(20)] },
  "api-outdated-tls-refused": {
    broken: [one("apigateway/domainName:DomainName", "domain", { securityPolicy: "TLS_1_0" })],
    kept: [one("apigateway/domainName:DomainName", "domain", { securityPolicy: "TLS_1_2" })],
  },
  "api-behind-firewall": {
    broken: [stage()],
    kept: [
      stage(),
      one("wafv2/webAclAssociation:WebAclAssociation", "front", { resourceArn: arnOf("apigateway", "live") }),
    ],
  },
  "waf-managed-rules-and-rate-limit": {
    broken: [acl("managedRuleGroupStatement"), aclLogs],
    kept: [acl("managedRuleGroupStatement", "rateBasedStatement"), aclLogs],
  },
  "cloudfront-secure": { broken: [distribution("allow-all")], kept: [distribution("redirect-to-https")] },
  "load-balancer-https": {
    broken: [balancer, listener({ protocol: "HTTP", defaultActions: [{ type: "forward" }] })],
    kept: [
      balancer,
      listener({ protocol: "HTTP", defaultActions: [{ redirect: { protocol: "HTTPS" } }] }),
      listener({ protocol: "HTTPS", sslPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06" }),
    ],
  },
  "ecs-task-hardened": { broken: [task({ user: "root" })], kept: [task({})] },
  "ecs-images-pinned": { broken: [task({ image: "repo/model:latest" })], kept: [task({})] },
};
