import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { referenceRuns } from "../../../scripts/programs/reference-runs.ts";
import { driftClasses } from "../../../src/drift/classes.ts";
import { classifySteps, type FoundDrift } from "../../../src/drift/classify.ts";
import { isEquivalent } from "../../../src/drift/equivalence.ts";
import { rulesOf } from "../../../src/drift/rules/index.ts";
import type { PropertyChange, Step } from "../../../src/engine/protocol.ts";

const bucket = "aws:s3/bucket:Bucket";

function step(type: string, changes: PropertyChange[], action = "update"): Step {
  return { action, urn: `urn:pulumi:s::p::${type}::it`, type, name: "it", awsId: "id-1", changes };
}

const changed = (
  type: string,
  path: string,
  before?: unknown,
  after?: unknown,
  kind: PropertyChange["kind"] = "update",
) => (classifySteps([step(type, [{ path, kind, before, after }])])[0] as FoundDrift).verdict;
const gone = (type: string) => (classifySteps([step(type, [], "delete")])[0] as FoundDrift).verdict;

describe("each class", () => {
  it.each([
    ["security", "aws:iam/rolePolicy:RolePolicy", "policy", '{"a":1}', '{"a":2}'],
    ["security", "aws:iam/role:Role", "assumeRolePolicy", '{"a":1}', '{"a":2}'],
    ["security", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "blockPublicAcls", true, false],
    [
      "security",
      "aws:ec2/securityGroup:SecurityGroup",
      "ingress[0].cidrBlocks[0]",
      "10.0.0.0/8",
      "0.0.0.0/0",
    ],
    [
      "security",
      "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
      "cidrIpv4",
      "10.0.0.0/8",
      "0.0.0.0/0",
    ],
    ["security", "aws:kms/key:Key", "enableKeyRotation", true, false],
    ["security", "aws:lambda/function:Function", "handler", "index.handler", "evil.handler"],
    ["security", "aws:cloudtrail/trail:Trail", "enableLogging", true, false],
    ["security", "aws:apigateway/method:Method", "authorization", "AWS_IAM", "NONE"],
    [
      "data",
      "aws:s3/bucketVersioning:BucketVersioning",
      "versioningConfiguration.status",
      "Enabled",
      "Suspended",
    ],
    [
      "data",
      "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
      "rules[0].expiration.days",
      365,
      1,
    ],
    ["data", "aws:backup/plan:Plan", "rules[0].lifecycle.deleteAfter", 90, 1],
    ["data", "aws:cloudwatch/logGroup:LogGroup", "retentionInDays", 30, 7],
    ["cost", "aws:cloudwatch/logGroup:LogGroup", "retentionInDays", 30, 365],
    ["cost", "aws:cloudwatch/logGroup:LogGroup", "retentionInDays", 30, 0],
    ["cost", "aws:appautoscaling/target:Target", "maxCapacity", 4, 40],
    [
      "cost",
      "aws:sagemaker/notebookInstance:NotebookInstance",
      "instanceType",
      "ml.t3.medium",
      "ml.p4d.24xlarge",
    ],
    ["cost", "aws:budgets/budget:Budget", "limitAmount", "25.00", "2500.00"],
    ["cost", bucket, "tags.team", "ml", "ops"],
    ["ml_promotion", "aws:lambda/alias:Alias", "functionVersion", "1", "2"],
    [
      "ml_promotion",
      "aws:lambda/alias:Alias",
      "routingConfig.additionalVersionWeights",
      undefined,
      { 3: 0.1 },
    ],
    ["ml_promotion", "aws:ecs/service:Service", "taskDefinition", "family:1", "family:2"],
    ["ml_promotion", "aws:lb/listener:Listener", "defaultActions[0].targetGroupArn", "a", "b"],
    ["ml_promotion", "aws:sagemaker/endpoint:Endpoint", "endpointConfigName", "a", "b"],
    ["unknown", "aws:nobody/knows:It", "size", 1, 2],
    ["benign", bucket, "forceDestroy", false, true],
    ["benign", "aws:cloudwatch/dashboard:Dashboard", "dashboardBody", '{"a":1}', '{"a":2}'],
    ["benign", "aws:iam/policy:Policy", "description", "a", "b"],
    ["benign", "aws:lambda/function:Function", "lastModified", "2026-01-01", "2026-02-01"],
  ])("%s: %s %s", (expected, type, path, before, after) => {
    const verdict = changed(type, path, before, after);
    expect(verdict.class).toBe(expected);
    expect(verdict.reason).not.toBe("");
  });

  it("are all those that there are", () => {
    expect([...driftClasses].sort()).toEqual([
      "benign",
      "cost",
      "data",
      "ml_promotion",
      "security",
      "unknown",
    ]);
  });
});

describe("a model's image", () => {
  const image = (repository: string, digit: string) => `${repository}@sha256:${digit.repeat(64)}`;
  const own = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/aidlc/inference";

  it("of the same repository is a release, from elsewhere it is foreign code", () => {
    const type = "aws:lambda/function:Function";
    expect(changed(type, "imageUri", image(own, "a"), image(own, "b")).class).toBe("ml_promotion");
    expect(changed(type, "imageUri", image(own, "a"), image("evil.example/it", "b"))).toMatchObject({
      class: "security",
      severity: "high",
    });
    expect(changed(type, "imageUri", image(own, "a"), `${own}:latest`).class).toBe("security");
  });
});

describe("a resource that is gone", () => {
  it("is a loss of data where it held some", () => {
    for (const type of [
      bucket,
      "aws:kms/key:Key",
      "aws:ecr/repository:Repository",
      "aws:secretsmanager/secret:Secret",
    ])
      expect(gone(type)).toMatchObject({ class: "data", severity: "critical", dataLoss: true });
  });

  it("is grave and nothing more where it held none", () => {
    expect(gone("aws:iam/rolePolicy:RolePolicy")).toMatchObject({ class: "security", severity: "high" });
    expect(gone("aws:cloudwatch/metricAlarm:MetricAlarm")).toMatchObject({
      class: "security",
      severity: "high",
    });
    expect(gone("aws:iam/rolePolicy:RolePolicy").dataLoss).toBeUndefined();
    expect(gone("aws:nobody/knows:It")).toMatchObject({ class: "unknown", severity: "high" });
  });

  it("is one drift, of an empty path", () => {
    const drifts = classifySteps([step(bucket, [{ path: "tags", kind: "update" }], "delete")]);
    expect(drifts).toHaveLength(1);
    expect(drifts[0]).toMatchObject({ path: "", awsId: "id-1" });
  });
});

describe("a vault", () => {
  const vault = "aws:backup/vault:Vault";
  it("that was emptied has lost data; one that holds fewer has not", () => {
    expect(changed(vault, "recoveryPoints", 12, 0)).toMatchObject({ class: "data", dataLoss: true });
    expect(changed(vault, "recoveryPoints", 12, 11).class).toBe("benign");
    expect(changed(vault, "recoveryPoints", 0, 0).class).toBe("benign");
  });
});

describe("tags", () => {
  it("that say whose a resource is count more than others, and added ones nothing", () => {
    expect(changed(bucket, 'tagsAll["aidlc:team"]', "ml", undefined, "delete")).toMatchObject({
      class: "cost",
      severity: "medium",
    });
    expect(changed(bucket, 'tags["aidlc:classification"]', "restricted", "public").class).toBe("security");
    expect(changed(bucket, "tags.who", undefined, "me", "add").class).toBe("benign");
    expect(changed(bucket, "tags.who", "me", undefined, "delete").class).toBe("cost");
  });

  it("are counted once where they are told twice", () => {
    const drifts = classifySteps([
      step(bucket, [
        { path: "tags.who", kind: "update", before: "a", after: "b" },
        { path: "tagsAll.who", kind: "update", before: "a", after: "b" },
      ]),
    ]);
    expect(drifts.map(({ verdict }) => verdict.class)).toEqual(["cost", "benign"]);
  });
});

describe("values that say the same", () => {
  const policyOf = (statement: object) => JSON.stringify({ Version: "2012-10-17", Statement: [statement] });

  it("are policies with their lists in another order or form", () => {
    const before = policyOf({
      Effect: "Allow",
      Action: ["s3:Get*", "s3:List*"],
      Resource: "*",
      Principal: { AWS: ["b", "a"] },
    });
    const after = `{ "Statement": { "Principal": {"AWS": ["a", "b"]}, "Resource": ["*"], "Action": ["s3:List*", "s3:Get*"], "Effect": "Allow" }, "Version": "2012-10-17" }`;
    expect(isEquivalent("policy", before, after)).toBe(true);
    expect(changed("aws:iam/rolePolicy:RolePolicy", "policy", before, after).class).toBe("benign");
    expect(isEquivalent("policy", before, after.replace("s3:List*", "s3:*"))).toBe(false);
    expect(isEquivalent("policy", before, after.replace("Allow", "Deny"))).toBe(false);
  });

  it("are conditions whose values are written in another order, not those of another key", () => {
    const condition = (key: string, values: unknown) =>
      policyOf({
        Effect: "Allow",
        Action: "s3:*",
        Resource: "*",
        Condition: { StringEquals: { [key]: values } },
      });
    expect(isEquivalent("policy", condition("aws:x", ["a", "b"]), condition("aws:x", ["b", "a"]))).toBe(true);
    expect(isEquivalent("policy", condition("aws:x", "a"), condition("aws:x", ["a"]))).toBe(true);
    expect(isEquivalent("policy", condition("aws:x", "a"), condition("aws:y", "a"))).toBe(false);
  });

  it("are not documents of other kinds whose order counts", () => {
    expect(isEquivalent("containerDefinitions", '[{"command":["a","b"]}]', '[{"command":["b","a"]}]')).toBe(
      false,
    );
    expect(isEquivalent("imageConfig.commands", ["a", "b"], ["b", "a"])).toBe(false);
    expect(isEquivalent("definition", '{"a":[1,2]}', '{ "a": [1, 2] }')).toBe(true);
  });

  it("are absent and empty ones, and numbers and their texts", () => {
    expect(isEquivalent("x", undefined, [])).toBe(true);
    expect(isEquivalent("x", "", null)).toBe(true);
    expect(isEquivalent("x", 30, "30")).toBe(true);
    expect(isEquivalent("x", false, "false")).toBe(true);
    expect(isEquivalent("x", false, undefined)).toBe(false);
    expect(isEquivalent("x", 0, undefined)).toBe(false);
  });

  it("are lists of names in any order, whatever they hold", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.integer(), (names, seed) => {
        const shuffled = [...names].sort(
          (a, b) => ((a.length * 31 + seed) % 7) - ((b.length * 31 + seed) % 7),
        );
        return isEquivalent("securityGroups", names, shuffled);
      }),
    );
  });

  it("make an equivalence: each is like itself, and none less like the other than the other like it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(isEquivalent("x", a, structuredClone(a))).toBe(true);
        expect(isEquivalent("x", a, JSON.parse(JSON.stringify(a)))).toBe(true);
        expect(isEquivalent("x", a, b)).toBe(isEquivalent("x", b, a));
      }),
    );
  });

  it("make any drift benign, of any type", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(bucket, "aws:iam/role:Role", "aws:nobody/knows:It"),
        fc.jsonValue(),
        (type, value) => {
          expect(changed(type, "property", value, structuredClone(value)).class).toBe("benign");
        },
      ),
    );
  });
});

describe("the rules", () => {
  it("judge every change, whatever its path and values", () => {
    const types = [
      bucket,
      "aws:iam/role:Role",
      "aws:cloudwatch/logGroup:LogGroup",
      "aws:backup/vault:Vault",
      "aws:a/b:C",
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.string(),
        fc.jsonValue(),
        fc.jsonValue(),
        (type, path, before, after) => {
          const verdict = changed(type, path, before, after);
          expect(driftClasses).toContain(verdict.class);
        },
      ),
    );
  });

  it("know every type that the programs register", async () => {
    const runs = await referenceRuns();
    const types = new Set(runs.flatMap(({ run }) => run.resources.map(({ type }) => type)));
    const aws = [...types].filter((type) => type.startsWith("aws:"));
    expect(aws.length).toBeGreaterThan(100);
    expect(aws.filter((type) => rulesOf(type) === undefined)).toEqual([]);
  }, 120_000);
});
