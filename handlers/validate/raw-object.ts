import type { SQSRecord } from "aws-lambda";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";

/** A version of an object that a team brought. */
export const RawObject = Type.Object({
  bucket: Type.String(),
  key: Type.String(),
  versionId: Type.String(),
  size: Type.Integer(),
  /** Grows with each version of a key, compared as text of equal length. */
  sequencer: Type.String(),
});
export type RawObject = Readonly<Static<typeof RawObject>>;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
const Notification = Type.Object({
  Records: Type.Array(
    Type.Object({
      eventName: Type.String(),
      s3: Type.Object({
        bucket: Type.Object({ name: Type.String() }),
        object: Type.Object({
          key: Type.String({ minLength: 1 }),
          size: Type.Integer({ minimum: 0 }),
          versionId: Type.String({ minLength: 1 }),
          sequencer: Type.String(),
        }),
      }),
    }),
  ),
});

/** What S3 sends once for each new configuration of notifications. */
const TestEvent = Type.Object({ Event: Type.Literal("s3:TestEvent") });

/** https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html */
const JobEvent = Type.Object({
  source: Type.Literal("aws.sagemaker"),
  "detail-type": Type.Literal("SageMaker Processing Job State Change"),
  detail: Type.Object({ ProcessingJobName: Type.String({ minLength: 1 }) }),
});

const SEQUENCER_LENGTH = 32;

/** An event that this function isn't there for: the queue's policy or the bucket's notification is not what it should be. */
export class UnexpectedEvent extends Error {
  override readonly name = "UnexpectedEvent";
}

/** Objects that were brought, or a processing job that ended without a verdict. */
export type Told = { readonly objects: readonly RawObject[] } | { readonly endedJob: string };

/** What a message tells of. Throws `UnexpectedEvent` for another bucket's objects. */
export function toldBy({ body }: SQSRecord, rawBucket: string): Told {
  const message: unknown = JSON.parse(body);
  if (Value.Check(TestEvent, message)) return { objects: [] };
  if (Value.Check(JobEvent, message)) return { endedJob: message.detail.ProcessingJobName };
  const objects = Value.Parse(Notification, message).Records.map(({ eventName, s3: { bucket, object } }) => {
    if (bucket.name !== rawBucket || !eventName.startsWith("ObjectCreated:")) {
      throw new UnexpectedEvent(`${eventName} in ${bucket.name} is not what ${rawBucket} tells of`);
    }
    return {
      bucket: bucket.name,
      // Encoded as in a form: a space is a plus sign.
      key: decodeURIComponent(object.key.replaceAll("+", " ")),
      versionId: object.versionId,
      size: object.size,
      sequencer: object.sequencer.padStart(SEQUENCER_LENGTH, "0"),
    };
  });
  return { objects };
}

/** Folders that the console makes are objects without content. */
export const isFolder = ({ key, size }: RawObject) => key.endsWith("/") && size === 0;
