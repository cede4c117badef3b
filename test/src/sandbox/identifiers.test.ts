import { describe, expect, test } from "vitest";
import { newResource, updatedOutputs } from "../../../src/sandbox/computed.ts";
import { parseConfiguration } from "../../../src/sandbox/configuration.ts";
import { identityKey } from "../../../src/sandbox/identifiers.ts";
import { Schema } from "../../../src/sandbox/schema.ts";
import type { PropertyMap } from "../../../src/sandbox/values.ts";
import { requiredInputs } from "./sample-inputs.ts";

const schema = new Schema();
const configuration = parseConfiguration({ region: "eu-central-1", allowedAccountIds: ["111122223333"] });
const now = new Date("2026-01-02T03:04:05Z");

function create(token: string, inputs: PropertyMap) {
  const type = schema.resource(token)!;
  return newResource({ type, inputs, configuration, now });
}

describe("the identifiers of new resources", () => {
  test.each([
    ["aws:s3/bucket:Bucket", { bucket: "b" }, /^b$/, /^arn:aws:s3:::b$/],
    ["aws:iam/role:Role", { name: "r" }, /^r$/, /^arn:aws:iam::111122223333:role\/r$/],
    ["aws:iam/role:Role", { name: "r", path: "/team/" }, /^r$/, /^arn:aws:iam::111122223333:role\/team\/r$/],
    ["aws:kms/key:Key", {}, /^[0-9a-f-]{36}$/, /^arn:aws:kms:eu-central-1:111122223333:key\/[0-9a-f-]{36}$/],
    ["aws:kms/key:Key", { multiRegion: true }, /^mrk-[0-9a-f]{32}$/, /key\/mrk-/],
    ["aws:ec2/vpc:Vpc", { cidrBlock: "10.0.0.0/16" }, /^vpc-[0-9a-f]{17}$/, /:vpc\/vpc-/],
    ["aws:sns/topic:Topic", { name: "t" }, /^arn:aws:sns:eu-central-1:111122223333:t$/, /:t$/],
    [
      "aws:sqs/queue:Queue",
      { name: "q" },
      /^https:\/\/sqs\.eu-central-1\.amazonaws\.com\/111122223333\/q$/,
      /:q$/,
    ],
    ["aws:ssm/parameter:Parameter", { name: "/a/b" }, /^\/a\/b$/, /:parameter\/a\/b$/],
    ["aws:ssm/parameter:Parameter", { name: "a" }, /^a$/, /:parameter\/a$/],
    ["aws:cloudwatch/eventRule:EventRule", { name: "r" }, /^r$/, /:rule\/r$/],
    ["aws:cloudwatch/eventRule:EventRule", { name: "r", eventBusName: "bus" }, /^bus\/r$/, /:rule\/bus\/r$/],
    ["aws:sagemaker/pipeline:Pipeline", { pipelineName: "My-P" }, /^My-P$/, /:pipeline\/my-p$/],
    ["aws:scheduler/schedule:Schedule", { name: "s" }, /^default\/s$/, /:schedule\/default\/s$/],
    [
      "aws:budgets/budget:Budget",
      { name: "b" },
      /^111122223333:b$/,
      /^arn:aws:budgets::111122223333:budget\/b$/,
    ],
    ["aws:glue/catalogDatabase:CatalogDatabase", { name: "d" }, /^111122223333:d$/, /:database\/d$/],
  ] as const)("%s %j", (token, inputs, id, arn) => {
    const resource = create(token, inputs as PropertyMap);
    expect(resource.id).toMatch(id);
    expect(resource.arn).toMatch(arn);
  });

  test.each(schema.tokens())("%s has an id, an ARN and outputs without a hole", (token) => {
    const type = schema.resource(token)!;
    const resource = create(token, requiredInputs(schema, type));
    expect(resource.id).not.toMatch(/^$|[{}<>]|undefined/);
    if (type.facts.arn?.startsWith("arn:")) expect(resource.arn).toMatch(/^arn:aws:[^{}<>]+$/);
    for (const [name, value] of Object.entries(resource.outputs)) {
      expect(value, name).not.toBeUndefined();
      expect(JSON.stringify(value), name).not.toMatch(/[{<]\w+ (hex|alnum)|undefined/);
    }
  });
});

describe("outputs", () => {
  test("default tags are merged under the resource's own", () => {
    const tagged = parseConfiguration({ defaultTags: { tags: { team: "a", phase: "x" } } });
    const type = schema.resource("aws:s3/bucket:Bucket")!;
    const { outputs } = newResource({
      type,
      inputs: { bucket: "b", tags: { phase: "y" } },
      configuration: tagged,
      now,
    });
    expect(outputs.tagsAll).toEqual({ team: "a", phase: "y" });
    expect(outputs.tags).toEqual({ phase: "y" });
  });

  test("a resource is where its own region says", () => {
    expect(create("aws:s3/bucket:Bucket", { bucket: "b", region: "eu-west-1" }).outputs.region).toBe(
      "eu-west-1",
    );
    expect(create("aws:s3/bucket:Bucket", { bucket: "b" }).outputs.region).toBe("eu-central-1");
  });

  test("an update keeps what was generated and counts versions", () => {
    const type = schema.resource("aws:ssm/parameter:Parameter")!;
    const inputs = { name: "p", type: "String", value: "1" };
    const before = create(type.token, inputs);
    const after = updatedOutputs(
      { type, inputs: { ...inputs, value: "2" }, configuration, now },
      before.id,
      before.outputs,
    );
    expect(after).toMatchObject({ value: "2", version: 2, arn: before.arn });
  });

  test("a name prefix becomes a name", () => {
    expect(create("aws:iam/role:Role", { namePrefix: "team-" }).id).toMatch(/^team-\d+[0-9a-f]+$/);
  });
});

describe("identities", () => {
  const key = (token: string, inputs: PropertyMap, region = "eu-central-1", account = "111122223333") => {
    const resource = create(token, inputs);
    return identityKey(schema.resource(token)!, resource.outputs, { account, region }, resource);
  };

  test("bucket names are global, roles are the account's, log groups the region's", () => {
    expect(key("aws:s3/bucket:Bucket", { bucket: "b" }, "x", "1")).toBe(
      key("aws:s3/bucket:Bucket", { bucket: "b" }),
    );
    expect(key("aws:iam/role:Role", { name: "r" }, "x")).toBe(key("aws:iam/role:Role", { name: "r" }));
    expect(key("aws:iam/role:Role", { name: "r" }, "x", "1")).not.toBe(
      key("aws:iam/role:Role", { name: "r" }),
    );
    const group = "aws:cloudwatch/logGroup:LogGroup";
    expect(key(group, { name: "g" }, "x")).not.toBe(key(group, { name: "g" }));
  });

  test("resources with generated ids never collide", () => {
    expect(key("aws:ec2/vpc:Vpc", {})).not.toBe(key("aws:ec2/vpc:Vpc", {}));
  });
});

describe("a provider's configuration", () => {
  test("the account is the allowed one, else the assumed role's, else none", () => {
    const role = { assumeRoles: [{ roleArn: "arn:aws:iam::444455556666:role/x" }] };
    expect(parseConfiguration({ ...role, allowedAccountIds: ["111122223333"] }).account).toBe("111122223333");
    expect(parseConfiguration(role).account).toBe("444455556666");
    expect(parseConfiguration({}).account).toBe("000000000000");
  });

  test("the partition follows the region", () => {
    expect(parseConfiguration({ region: "cn-north-1" }).partition).toBe("aws-cn");
    expect(parseConfiguration({ region: "us-gov-west-1" }).partition).toBe("aws-us-gov");
  });
});
