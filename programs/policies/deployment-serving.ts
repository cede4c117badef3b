import { ALWAYS, each, IN_PRODUCTION, type Policy, throughout } from "./policy.ts";
import { at, json, list, missing, text } from "./values.ts";

const METHOD = "aws:apigateway/method:Method";
const STAGE = "aws:apigateway/stage:Stage";
const TASK = "aws:ecs/taskDefinition:TaskDefinition";
const DISTRIBUTION = "aws:cloudfront/distribution:Distribution";

function containers(definition: unknown): readonly unknown[] {
  return list(json(definition));
}

export const servingPolicies: readonly Policy[] = [
  {
    id: "api-method-authorized",
    title: "Every method of an API asks who calls",
    text: "A model behind an open method can be read out, query by query, and paid for by its owner.",
    phase: "deployment",
    severity: "critical",
    levels: ALWAYS,
    controls: {
      config: ["api-gwv2-authorization-type-configured"],
      fsbp: ["APIGateway.8"],
      nist: ["AC-3", "IA-9"],
    },
    remedy: "Authorise by AWS_IAM or a JWT authorizer: serving.auth in the spec",
    check: (stack) => [
      ...each(
        [METHOD],
        ({ properties: bag }) => bag.httpMethod !== "OPTIONS" && bag.authorization === "NONE",
      )(stack),
      ...each(
        ["aws:apigatewayv2/route:Route"],
        ({ properties: bag }) => bag.authorizationType === undefined || bag.authorizationType === "NONE",
      )(stack),
    ],
  },
  {
    id: "api-request-validated",
    title: "Every method that takes a body checks it against a model",
    text: "What can't be a row of the data set never reaches the model.",
    phase: "deployment",
    severity: "medium",
    levels: ALWAYS,
    controls: { nist: ["SI-10"] },
    remedy: "Give the method a request validator and a request model of the data set's schema",
    check: each([METHOD], ({ properties: bag }) => {
      if (!["POST", "PUT", "PATCH"].includes(String(bag.httpMethod))) return undefined;
      if (missing(bag.requestValidatorId)) return "It has no request validator";
      return bag.requestModels === undefined ? "It has no request model" : undefined;
    }),
  },
  {
    id: "api-stage-access-logged",
    title: "Every stage of an API logs its requests",
    text: "Who asked what, from where, must be answerable; extraction of a model is seen in these logs.",
    phase: "deployment",
    severity: "medium",
    levels: ALWAYS,
    controls: {
      config: ["api-gw-execution-logging-enabled"],
      fsbp: ["APIGateway.1", "APIGateway.9"],
      nist: ["AU-2", "AU-12"],
    },
    remedy: "Set accessLogSettings to a log group of the stack",
    check: each([STAGE, "aws:apigatewayv2/stage:Stage"], ({ properties: bag }) =>
      missing(at(bag, "accessLogSettings.destinationArn")),
    ),
  },
  {
    id: "api-stage-traced",
    title: "Every stage of an API is traced by X-Ray",
    text: "A slow or failing request is found in the component that made it so.",
    phase: "learning",
    severity: "low",
    levels: ALWAYS,
    controls: { config: ["api-gw-xray-enabled"], fsbp: ["APIGateway.3"], nist: ["AU-12", "SI-4"] },
    remedy: "Set xrayTracingEnabled on the stage",
    check: each([STAGE], ({ properties: bag }) => bag.xrayTracingEnabled !== true),
  },
  {
    id: "api-throttled",
    title: "Every stage of an API limits the rate of requests",
    text: "Without a limit one caller takes the model from all others, or reads it out in an hour.",
    phase: "deployment",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["SC-5"] },
    remedy: "Set throttling for all methods of the stage: serving.throttle in the spec",
    check: each([STAGE], (stage, stack) => {
      const settings = stack
        .ofType("aws:apigateway/methodSettings:MethodSettings")
        .filter(({ properties: bag }) => bag.stageName === stage.properties.stageName);
      const limits = settings.some(({ properties: bag }) => {
        const rate = at(bag, "settings.throttlingRateLimit");
        return typeof rate === "number" && rate > 0;
      });
      return !limits;
    }),
  },
  {
    id: "api-outdated-tls-refused",
    title: "Domains of an API take TLS 1.2 or newer",
    text: "Requests hold data of the same class as the training set.",
    phase: "deployment",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["SC-8", "SC-13"] },
    remedy: "Set securityPolicy to TLS_1_2",
    check: each(
      ["aws:apigateway/domainName:DomainName"],
      ({ properties: bag }) => bag.securityPolicy !== "TLS_1_2",
    ),
  },
  {
    id: "api-behind-firewall",
    title: "Every API stands behind a web application firewall",
    text: "Managed rules stop what is known to be an attack before it is a request.",
    phase: "deployment",
    severity: "medium",
    levels: IN_PRODUCTION,
    controls: { config: ["api-gw-associated-with-waf"], fsbp: ["APIGateway.4"], nist: ["SC-7", "SI-4"] },
    remedy: "Associate a web ACL with the stage",
    check: each(
      [STAGE],
      (stage, stack) =>
        stack.referring("aws:wafv2/webAclAssociation:WebAclAssociation", "resourceArn", stage).length === 0,
    ),
  },
  {
    id: "waf-managed-rules-and-rate-limit",
    title: "Every firewall has managed rules, a limit of the rate per address, and logs",
    text: "A web ACL without rules lets everything through and looks like a protection.",
    phase: "deployment",
    severity: "medium",
    levels: ALWAYS,
    controls: { config: ["wafv2-logging-enabled"], fsbp: ["WAF.10", "WAF.11"], nist: ["SC-5", "SC-7"] },
    remedy: "Add managed rule groups, a rate-based rule and a logging configuration",
    check: throughout((stack) =>
      stack.ofType("aws:wafv2/webAcl:WebAcl").flatMap((resource) => {
        const rules = list(resource.properties.rules);
        const has = (kind: string) => rules.some((rule) => at(rule, `statement.${kind}`) !== undefined);
        const logs = stack.referring(
          "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
          "resourceArn",
          resource,
        );
        const details = [
          has("managedRuleGroupStatement") ? undefined : "It has no managed rule group",
          has("rateBasedStatement") ? undefined : "It has no rate limit",
          logs.length > 0 ? undefined : "It has no logs",
        ].filter((detail) => detail !== undefined);
        return details.map((detail) => ({ resource, detail }));
      }),
    ),
  },
  {
    id: "cloudfront-secure",
    title: "Every distribution speaks HTTPS of today only, logs, and has a firewall",
    text: "It is the first thing a caller reaches.",
    phase: "deployment",
    severity: "high",
    levels: ALWAYS,
    controls: {
      config: [
        "cloudfront-viewer-policy-https",
        "cloudfront-accesslogs-enabled",
        "cloudfront-associated-with-waf",
      ],
      fsbp: ["CloudFront.3", "CloudFront.5", "CloudFront.6"],
      nist: ["SC-8", "AU-12", "SC-7"],
    },
    remedy: "Set viewerProtocolPolicy to https-only, TLSv1.2_2021, logging and a web ACL",
    check: each([DISTRIBUTION], ({ properties: bag }, stack) => {
      const policy = at(bag, "defaultCacheBehavior.viewerProtocolPolicy");
      const certificate = at(bag, "viewerCertificate");
      const oldTls =
        at(certificate, "cloudfrontDefaultCertificate") !== true &&
        !/^TLSv1\.[23]/.test(text(at(certificate, "minimumProtocolVersion")) ?? "TLSv1.2");
      const logged =
        at(bag, "loggingConfig") !== undefined ||
        stack.ofType("aws:cloudwatch/logDeliverySource:LogDeliverySource").length > 0;
      return [
        policy !== "https-only" && policy !== "redirect-to-https" && "It takes plain HTTP",
        oldTls && "It takes outdated TLS",
        !logged && "It logs nothing",
        missing(bag.webAclId) && "It has no web ACL",
      ];
    }),
  },
  {
    id: "load-balancer-https",
    title: "Every load balancer takes HTTPS of today only and logs its requests",
    text: "A listener on plain HTTP may only send callers on to HTTPS.",
    phase: "deployment",
    severity: "high",
    levels: ALWAYS,
    controls: {
      config: ["alb-http-to-https-redirection-check", "elb-logging-enabled"],
      fsbp: ["ELB.1", "ELB.5", "ELB.4"],
      nist: ["SC-8", "AU-12"],
    },
    remedy: "Listen by HTTPS with a TLS 1.2 policy or newer, redirect HTTP, log to the access-log bucket",
    check: (stack) => [
      ...each(["aws:lb/listener:Listener"], ({ properties: bag }) => {
        const redirects = list(bag.defaultActions).some(
          (action) => at(action, "redirect.protocol") === "HTTPS",
        );
        if (bag.protocol === "HTTP") return redirects ? undefined : "It serves plain HTTP";
        if (bag.protocol !== "HTTPS" && bag.protocol !== "TLS") return undefined;
        const policy = text(bag.sslPolicy);
        return policy !== undefined && !/TLS13|TLS-1-2|FS-1-2/.test(policy)
          ? `Its policy ${policy} takes outdated TLS`
          : undefined;
      })(stack),
      ...each(["aws:lb/loadBalancer:LoadBalancer"], ({ properties: bag }) => [
        at(bag, "accessLogs.enabled") !== true && "It logs no requests",
        bag.loadBalancerType !== "network" &&
          bag.dropInvalidHeaderFields !== true &&
          "It passes invalid headers on",
      ])(stack),
    ],
  },
  {
    id: "ecs-task-hardened",
    title: "Containers are unprivileged, read-only, not root, and log",
    text: "Who breaks into a container then finds nothing to write to and nobody to become.",
    phase: "deployment",
    severity: "high",
    levels: ALWAYS,
    controls: {
      config: [
        "ecs-containers-nonprivileged",
        "ecs-containers-readonly-access",
        "ecs-task-definition-nonroot-user",
        "ecs-task-definition-log-configuration",
      ],
      fsbp: ["ECS.4", "ECS.5", "ECS.9"],
      nist: ["AC-6", "CM-7"],
    },
    remedy:
      "Set readonlyRootFilesystem, a user other than root, and a log configuration; leave privileged unset",
    check: each([TASK], ({ properties: bag }) =>
      containers(bag.containerDefinitions).flatMap((container) => {
        const name = String(at(container, "name"));
        const user = at(container, "user");
        return [
          at(container, "privileged") === true && `${name} is privileged`,
          at(container, "readonlyRootFilesystem") !== true && `${name} can write its root file system`,
          (user === undefined || /^(root|0)(:|$)/.test(String(user))) && `${name} runs as root`,
          at(container, "logConfiguration") === undefined && `${name} doesn't log`,
        ];
      }),
    ),
  },
  {
    id: "ecs-images-pinned",
    title: "Containers run images by digest or immutable tag",
    text: "`latest` is whatever was pushed last; what was approved must be what runs.",
    phase: "deployment",
    severity: "medium",
    levels: ALWAYS,
    controls: { nist: ["CM-2", "SI-7"] },
    remedy: "Name the image by its digest",
    check: each([TASK], ({ properties: bag }) =>
      containers(bag.containerDefinitions)
        .filter((container) => /(:latest|^[^@:]+|\/[^@:]+)$/.test(text(at(container, "image")) ?? "@sha256:"))
        .map((container) => `Image of ${String(at(container, "name"))}`),
    ),
  },
];
