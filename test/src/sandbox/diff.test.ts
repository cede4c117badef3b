import { describe, expect, test } from "vitest";
import type { ProviderConfiguration } from "../../../src/sandbox/configuration.ts";
import { changeKey, diffResource } from "../../../src/sandbox/diff.ts";
import { Schema } from "../../../src/sandbox/schema.ts";
import { type PropertyMap, unknownValue } from "../../../src/sandbox/values.ts";

const schema = new Schema();
const configuration: ProviderConfiguration = {
  account: "111122223333",
  region: "eu-central-1",
  partition: "aws",
  dnsSuffix: "amazonaws.com",
  defaultTags: {},
  ignoredTagKeys: [],
  ignoredTagPrefixes: [],
};

function diff(
  token: string,
  oldInputs: PropertyMap,
  news: PropertyMap,
  oldOutputs: PropertyMap = oldInputs,
  change = {},
) {
  const type = schema.resource(token);
  if (!type) throw new Error(`no type ${token}`);
  const result = diffResource(type, {
    oldInputs,
    oldOutputs,
    news,
    configuration: { ...configuration, ...change },
  });
  const changes = result.changes.map(
    (one) => `${one.kind}${one.replaces ? "-replace" : ""} ${changeKey(one)}`,
  );
  return { changes, deleteBeforeReplace: result.deleteBeforeReplace };
}

const bucket = "aws:s3/bucket:Bucket";
const alarm = "aws:cloudwatch/metricAlarm:MetricAlarm";
const bucketPolicy = "aws:s3/bucketPolicy:BucketPolicy";

describe("comparing a resource with what the program wants", () => {
  test("equal inputs are no change", () => {
    expect(
      diff(bucket, { bucket: "b", tags: { a: "1" } }, { bucket: "b", tags: { a: "1" } }).changes,
    ).toEqual([]);
  });

  test("every changed property is named, also inside objects", () => {
    const before = { bucket: "b", versioningConfiguration: { status: "Enabled" } };
    const after = { bucket: "b", versioningConfiguration: { status: "Suspended" } };
    expect(diff("aws:s3/bucketVersioning:BucketVersioning", before, after).changes).toEqual([
      "update versioningConfiguration.status",
    ]);
  });

  test("tags with dots in their keys are written as the engine parses them", () => {
    expect(diff(bucket, { tags: { "a.b": "1" } }, { tags: { "a.b": "2" } }).changes).toEqual([
      'update tags["a.b"]',
    ]);
  });

  test("elements that come and go are added and deleted", () => {
    const token = "aws:ec2/vpcEndpoint:VpcEndpoint";
    expect(diff(token, { subnetIds: ["a", "b"] }, { subnetIds: ["a"] }).changes).toEqual([
      "delete subnetIds[1]",
    ]);
    expect(diff(token, { subnetIds: ["a"] }, { subnetIds: ["a", "b"] }).changes).toEqual([
      "add subnetIds[1]",
    ]);
  });

  test("a change that AWS can't make replaces the resource", () => {
    expect(diff(bucket, { bucket: "a" }, { bucket: "b" }).changes).toEqual(["update-replace bucket"]);
    expect(diff("aws:cloudwatch/logGroup:LogGroup", { name: "a" }, { name: unknownValue }).changes).toEqual([
      "update-replace name",
    ]);
  });

  test("a replacing field inside an object replaces, also when the whole object comes", () => {
    const lock = { objectLockEnabled: "Enabled" };
    expect(diff(bucket, { bucket: "b" }, { bucket: "b", objectLockConfiguration: lock }).changes).toEqual([
      "add-replace objectLockConfiguration",
    ]);
  });

  test("whether a change replaces can depend on the values", () => {
    const token = "aws:ssm/parameter:Parameter";
    expect(diff(token, { tier: "Standard" }, { tier: "Advanced" }).changes).toEqual(["update tier"]);
    expect(diff(token, { tier: "Advanced" }, { tier: "Standard" }).changes).toEqual(["update-replace tier"]);
  });

  test("policies are compared by their meaning", () => {
    const one = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: ["s3:Get", "s3:Put"], Principal: "*" }],
    });
    const same = JSON.stringify(
      { Statement: { Principal: "*", Action: ["s3:Put", "s3:Get"], Effect: "Allow" }, Version: "2012-10-17" },
      null,
      2,
    );
    expect(diff(bucketPolicy, { bucket: "b", policy: one }, { bucket: "b", policy: same }).changes).toEqual(
      [],
    );
    const other = one.replace("Allow", "Deny");
    expect(diff(bucketPolicy, { bucket: "b", policy: one }, { bucket: "b", policy: other }).changes).toEqual([
      "update policy",
    ]);
  });

  test("stating a default explicitly, or leaving it out again, is no change", () => {
    const outputs = { bucket: "b", forceDestroy: false };
    expect(diff(bucket, { bucket: "b" }, { bucket: "b", forceDestroy: false }, outputs).changes).toEqual([]);
    expect(diff(bucket, { bucket: "b", forceDestroy: false }, { bucket: "b" }, outputs).changes).toEqual([]);
    expect(diff(bucket, { bucket: "b" }, { bucket: "b", forceDestroy: true }, outputs).changes).toEqual([
      "update forceDestroy",
    ]);
  });

  test("only another effective region replaces", () => {
    const outputs = { bucket: "b", region: "eu-central-1" };
    expect(diff(bucket, { bucket: "b" }, { bucket: "b", region: "eu-central-1" }, outputs).changes).toEqual(
      [],
    );
    expect(diff(bucket, { bucket: "b" }, { bucket: "b", region: "eu-west-1" }, outputs).changes).toEqual([
      "update-replace region",
    ]);
  });

  test("changed default tags of the provider show once, as tagsAll", () => {
    const outputs = { bucket: "b", tags: { own: "1" }, tagsAll: { own: "1", team: "a" } };
    const inputs = { bucket: "b", tags: { own: "1" } };
    const changes = (defaultTags: Record<string, string>) =>
      diff(bucket, inputs, inputs, outputs, { defaultTags }).changes;
    expect(changes({ team: "a" })).toEqual([]);
    expect(changes({ team: "b" })).toEqual(["update tagsAll.team"]);
    const own = diff(bucket, inputs, { bucket: "b", tags: { own: "2" } }, outputs, {
      defaultTags: { team: "a" },
    });
    expect(own.changes).toEqual(["update tags.own"]);
  });

  test("a replacement under the same explicit name deletes first", () => {
    const group = { name: "g", logGroupClass: "STANDARD" };
    const changed = { name: "g", logGroupClass: "INFREQUENT_ACCESS" };
    const token = "aws:cloudwatch/logGroup:LogGroup";
    expect(diff(token, group, changed).deleteBeforeReplace).toBe(true);
    const automatic = { __defaults: ["name"] };
    expect(diff(token, group, { ...changed, ...automatic }).deleteBeforeReplace).toBe(false);
    expect(diff(alarm, { name: "a", threshold: 1 }, { name: "a", threshold: 2 }).deleteBeforeReplace).toBe(
      false,
    );
  });
});
