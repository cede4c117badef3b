import { describe, expect, test } from "vitest";
import { referencesOf } from "../../../src/sandbox/references.ts";
import { Schema } from "../../../src/sandbox/schema.ts";
import { type PropertyMap, unknownValue } from "../../../src/sandbox/values.ts";

const schema = new Schema();
const where = { account: "111122223333", region: "eu-central-1" };

function references(token: string, inputs: PropertyMap): string[] {
  return referencesOf(schema, schema.resource(token)!, inputs, where).map(
    ({ property, value }) => `${property} ${value}`,
  );
}

describe("references that AWS looks up", () => {
  test("names and ids of known types", () => {
    expect(references("aws:s3/bucketPolicy:BucketPolicy", { bucket: "b" })).toEqual(["bucket b"]);
    expect(references("aws:ec2/subnet:Subnet", { vpcId: "vpc-1" })).toEqual(["vpcId vpc-1"]);
  });

  test("ARNs of the own account, without their qualifiers", () => {
    const trail = "aws:cloudtrail/trail:Trail";
    const group = "arn:aws:logs:eu-central-1:111122223333:log-group:g";
    expect(references(trail, { cloudWatchLogsGroupArn: `${group}:*` })).toEqual([
      `cloudWatchLogsGroupArn ${group}`,
    ]);
    const alias = "aws:lambda/eventSourceMapping:EventSourceMapping";
    const fn = "arn:aws:lambda:eu-central-1:111122223333:function:f";
    expect(references(alias, { functionName: `${fn}:live` })).toEqual([`functionName ${fn}`]);
  });

  test("not what other accounts or AWS own", () => {
    const attachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";
    expect(references(attachment, { policyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess" })).toEqual([]);
    expect(references(attachment, { policyArn: "arn:aws:iam::999999999999:policy/x" })).toEqual([]);
    expect(references("aws:sns/topic:Topic", { kmsMasterKeyId: "alias/aws/sns" })).toEqual([]);
    expect(references("aws:scheduler/schedule:Schedule", { groupName: "default" })).toEqual([]);
  });

  test("not what AWS takes as it is", () => {
    const topic = "arn:aws:sns:eu-central-1:111122223333:t";
    expect(references("aws:cloudwatch/metricAlarm:MetricAlarm", { alarmActions: [topic] })).toEqual([]);
    expect(references("aws:sns/topicSubscription:TopicSubscription", { endpoint: "a@example.com" })).toEqual(
      [],
    );
  });

  test("not what isn't known yet", () => {
    expect(references("aws:s3/bucketPolicy:BucketPolicy", { bucket: unknownValue })).toEqual([]);
  });
});
