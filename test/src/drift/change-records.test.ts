import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import { afterEach, describe, expect, it } from "vitest";
import { lookUpChange, resourceNames } from "../../../src/drift/change-records.ts";
import type { Document } from "../../support/builders.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** An event as LookupEvents gives it: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Event.html */
function event(name: string, minute: number, change: Document = {}): Document {
  const arn = change.arn ?? "arn:aws:sts::123456789012:assumed-role/Admin/ada@example.com";
  return {
    EventId: `e-${minute}`,
    EventName: name,
    ReadOnly: "false",
    EventTime: Date.UTC(2026, 10, 23, 12, minute) / 1_000,
    EventSource: "s3.amazonaws.com",
    Username: arn.split("/").at(-1),
    Resources: [{ ResourceType: "AWS::S3::Bucket", ResourceName: "raw-1" }],
    CloudTrailEvent: JSON.stringify({
      eventVersion: "1.09",
      userIdentity: { type: "AssumedRole", arn, accountId: "123456789012" },
      eventName: name,
      sourceIPAddress: "198.51.100.7",
      userAgent: "console.amazonaws.com",
    }),
    ...change.event,
  };
}

/** A client of an endpoint that speaks CloudTrail's JSON protocol and has these events for a bucket. */
async function cloudTrail(...events: Document[]) {
  const asked: Document[] = [];
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request));
    asked.push({ target: request.headers["x-amz-target"], ...body });
    const found = body.LookupAttributes[0].AttributeValue === "raw-1" ? events : [];
    response
      .writeHead(200, { "content-type": "application/x-amz-json-1.1" })
      .end(JSON.stringify({ Events: found }));
  });
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = new CloudTrailClient({
    region: "eu-central-1",
    endpoint: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    maxAttempts: 1,
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  });
  return { client, asked };
}

const drift = {
  type: "aws:s3/bucketVersioning:BucketVersioning",
  path: "versioningConfiguration.status",
  awsId: "raw-1",
  firstSeenAt: new Date("2026-11-23T12:30:00Z"),
  lastSeenAt: new Date("2026-11-23T12:30:00Z"),
};

describe("who changed a resource", () => {
  it("is whom CloudTrail names for the call that fits best, with its moment and from where", async () => {
    const { client, asked } = await cloudTrail(
      event("PutBucketTagging", 20),
      event("PutBucketVersioning", 10),
    );
    expect(await lookUpChange(client, drift)).toEqual({
      source: "cloudtrail",
      principal: "arn:aws:sts::123456789012:assumed-role/Admin/ada@example.com",
      event: "PutBucketVersioning",
      at: "2026-11-23T12:10:00.000Z",
      sourceAddress: "198.51.100.7",
    });
    expect(asked[0]).toMatchObject({
      target: "CloudTrail_20131101.LookupEvents",
      LookupAttributes: [{ AttributeKey: "ResourceName", AttributeValue: "raw-1" }],
    });
  });

  it("is the last of those who made the same call before the check", async () => {
    const { client } = await cloudTrail(
      event("PutBucketVersioning", 10),
      event("PutBucketVersioning", 20),
      event("PutBucketVersioning", 40),
    );
    expect(await lookUpChange(client, drift)).toMatchObject({ at: "2026-11-23T12:20:00.000Z" });
  });

  it("is who deleted it, where it is gone, and nobody who did for a property", async () => {
    const { client } = await cloudTrail(event("DeleteBucket", 10), event("PutBucketVersioning", 20));
    expect(await lookUpChange(client, { ...drift, type: "aws:s3/bucket:Bucket", path: "" })).toMatchObject({
      event: "DeleteBucket",
    });
    expect(await lookUpChange(client, drift)).toMatchObject({ event: "PutBucketVersioning" });
  });

  it("is never the service itself, nor who only looked", async () => {
    const own = "arn:aws:sts::123456789012:assumed-role/provisioner/aidlc-5f0c";
    const { client } = await cloudTrail(
      event("PutBucketVersioning", 20, { arn: own }),
      event("GetBucketVersioning", 15, { event: { ReadOnly: "true" } }),
    );
    expect(await lookUpChange(client, drift)).toBeUndefined();
  });

  it("is the name that the event bears where its record can't be read", async () => {
    const { client } = await cloudTrail(
      event("PutBucketVersioning", 10, { event: { CloudTrailEvent: "{" } }),
    );
    expect(await lookUpChange(client, drift)).toMatchObject({ principal: "ada@example.com" });
    expect(await lookUpChange(client, drift)).not.toHaveProperty("sourceAddress");
  });
});

describe("a resource's names", () => {
  it.each([
    ["raw-1", ["raw-1"]],
    ["arn:aws:sns:eu-central-1:1:alerts", ["arn:aws:sns:eu-central-1:1:alerts", "alerts"]],
    [
      "https://sqs.eu-central-1.amazonaws.com/1/dead-letters",
      ["https://sqs.eu-central-1.amazonaws.com/1/dead-letters", "dead-letters"],
    ],
    ["a-role:a-policy", ["a-role:a-policy", "a-role"]],
  ])("of the id %s are %s", (awsId, names) => {
    expect(resourceNames(awsId)).toEqual(names);
  });
});
