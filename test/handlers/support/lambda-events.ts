import type { Context, SQSEvent } from "aws-lambda";

export interface AcceptedObject {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
export const objectCreated = ({ bucket, key, versionId }: AcceptedObject) => ({
  version: "0",
  id: "17793124-05d4-b198-2fde-7ededc63b103",
  "detail-type": "Object Created",
  source: "aws.s3",
  account: "123456789012",
  time: "2021-11-12T00:00:00Z",
  region: "eu-west-1",
  resources: [`arn:aws:s3:::${bucket}`],
  detail: {
    version: "0",
    bucket: { name: bucket },
    object: {
      key,
      size: 5,
      etag: "b1946ac92492d2347c6235b4d2611184",
      "version-id": versionId,
      sequencer: "617f08299329d189",
    },
    "request-id": "N4N7GDK58NMKJ12R",
    requester: "123456789012",
    "source-ip-address": "1.2.3.4",
    reason: "CopyObject",
  },
});

/** Messages m1, m2 … with these bodies, as Lambda takes them from a queue. */
export const sqsEvent = (queue: string, bodies: readonly unknown[]): SQSEvent => ({
  Records: bodies.map((body, index) => ({
    messageId: `m${index + 1}`,
    receiptHandle: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
    body: typeof body === "string" ? body : JSON.stringify(body),
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: "1545082649183",
      SenderId: "AIDAIENQZJOLO23YVJ4VO",
      ApproximateFirstReceiveTimestamp: "1545082649185",
    },
    messageAttributes: {},
    md5OfBody: "e4e68fb7bd0e697a0ae8f1bb342846b3",
    eventSource: "aws:sqs",
    eventSourceARN: `arn:aws:sqs:eu-west-1:123456789012:${queue}`,
    awsRegion: "eu-west-1",
  })),
});

/** What a handler is told of its run; `remainingMs` is asked each time. */
export const lambdaContext = (remainingMs: () => number = () => 900_000): Context => ({
  callbackWaitsForEmptyEventLoop: true,
  functionName: "function",
  functionVersion: "$LATEST",
  invokedFunctionArn: "arn:aws:lambda:eu-west-1:123456789012:function:function",
  memoryLimitInMB: "1024",
  awsRequestId: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
  logGroupName: "/aidlc/research/penguins/function",
  logStreamName: "2021/11/12/[$LATEST]58419525dade4d17a495dceeeed44708",
  getRemainingTimeInMillis: remainingMs,
  done: () => undefined,
  fail: () => undefined,
  succeed: () => undefined,
});
