import { beforeAll, describe, expect, it } from "vitest";
import { ofType, type Run, resource } from "../../support/run-program.ts";
import { learning, names, PUBLIC_DOMAIN, production } from "../../support/serving.ts";

type Rule = {
  readonly name: string;
  readonly priority: number;
  readonly statement: Record<string, Record<string, unknown>>;
};

describe("the edge of a production pipeline", () => {
  let run: Run;
  beforeAll(async () => {
    run = await production({ publicDomain: PUBLIC_DOMAIN, throttle: { ratePerSecond: 2 } });
  });

  const acl = (name: string) => resource(run, "wafv2/webAcl:WebAcl", name).inputs;

  it.each([
    ["firewall", "REGIONAL", undefined],
    ["edge-firewall", "CLOUDFRONT", "us-east-1"],
  ])("has a %s of scope %s that blocks by AWS's lists and by rate", (name, scope, region) => {
    expect(acl(name)).toMatchObject({ scope, defaultAction: { allow: {} } });
    expect(acl(name).region).toBe(region);
    const rules = acl(name).rules as readonly Rule[];
    expect(new Set(rules.map(({ priority }) => priority)).size).toBe(rules.length);
    expect(rules.flatMap(({ statement }) => statement.managedRuleGroupStatement?.name ?? [])).toEqual([
      "AWSManagedRulesAmazonIpReputationList",
      "AWSManagedRulesAnonymousIpList",
      "AWSManagedRulesCommonRuleSet",
      "AWSManagedRulesKnownBadInputsRuleSet",
    ]);
    expect(rules[0]?.statement.rateBasedStatement).toMatchObject({ aggregateKeyType: "IP", limit: 600 });
  });

  it.each([
    ["firewall", "logs-key", undefined],
    ["edge-firewall", "edge-logs-key", "us-east-1"],
  ])(
    "logs what the %s saw, encrypted and without secrets, under a name that WAF takes",
    (name, key, region) => {
      const group = resource(run, "cloudwatch/logGroup:LogGroup", `${name}-logs`).inputs;
      expect(group).toMatchObject({
        name: `aws-waf-logs-${names.named(name)}`,
        kmsKeyId: `arn:aws:test:::${key}`,
      });
      expect(group.region).toBe(region);
      const { redactedFields } = resource(
        run,
        "wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
        `${name}-logging`,
      ).inputs;
      expect(redactedFields).toEqual(
        ["authorization", "x-api-key", "x-amz-security-token"].map((header) => ({
          singleHeader: { name: header },
        })),
      );
    },
  );

  it("guards the API itself too, which stays reachable under its own name", () => {
    expect(resource(run, "wafv2/webAclAssociation:WebAclAssociation", "firewall-association").inputs).toEqual(
      { resourceArn: "arn:aws:test:::api-stage", webAclArn: "arn:aws:test:::firewall" },
    );
  });

  it("serves the API over TLS 1.2 and later under its own name, and keeps nothing", () => {
    const distribution = resource(run, "cloudfront/distribution:Distribution", "distribution").inputs;
    expect(distribution).toMatchObject({
      aliases: [PUBLIC_DOMAIN.name],
      webAclId: "arn:aws:test:::edge-firewall",
      viewerCertificate: {
        acmCertificateArn: PUBLIC_DOMAIN.certificateArn,
        minimumProtocolVersion: "TLSv1.2_2021",
        sslSupportMethod: "sni-only",
      },
      defaultCacheBehavior: {
        viewerProtocolPolicy: "https-only",
        cachePolicyId: "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
        responseHeadersPolicyId: "distribution-headers-id",
      },
    });
    expect(distribution.origins).toEqual([
      expect.objectContaining({
        domainName: "api-id.execute-api.eu-west-1.amazonaws.com",
        originPath: "/live",
        customOriginConfig: expect.objectContaining({
          originProtocolPolicy: "https-only",
          originSslProtocols: ["TLSv1.2"],
        }),
      }),
    ]);
  });

  it("delivers its access logs to the log bucket, which lets it and nobody else", () => {
    expect(
      resource(
        run,
        "cloudwatch/logDeliveryDestination:LogDeliveryDestination",
        "distribution-log-destination",
      ).inputs,
    ).toMatchObject({
      region: "us-east-1",
      deliveryDestinationConfiguration: {
        destinationResourceArn: `arn:aws:s3:::${names.bucket("access-logs")}`,
      },
    });
    const { policy } = resource(run, "s3/bucketPolicy:BucketPolicy", "access-logs-policy").inputs;
    const statement = JSON.parse(String(policy)).Statement.find(
      ({ Sid }: { Sid: string }) => Sid === "EdgeLogs",
    );
    expect(statement).toMatchObject({
      Principal: { Service: "delivery.logs.amazonaws.com" },
      Resource: `arn:aws:s3:::${names.bucket("access-logs")}/AWSLogs/111122223333/CloudFront/*`,
      Condition: {
        ArnLike: {
          "aws:SourceArn": `arn:aws:logs:us-east-1:111122223333:delivery-source:${names.short("edge")}`,
        },
      },
    });
  });

  it("is told in the outputs", () => {
    expect(run.outputs.serving).toMatchObject({
      edge: { distributionId: "distribution-id", domainName: "distribution.test" },
    });
  });
});

describe("the edge of a learning pipeline", () => {
  it("does not exist: the API itself authenticates and throttles", async () => {
    const run = await learning({});
    for (const type of ["wafv2/webAcl:WebAcl", "cloudfront/distribution:Distribution"])
      expect(ofType(run, type)).toEqual([]);
  });
});
