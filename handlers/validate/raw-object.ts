import type { SQSRecord } from "aws-lambda";
import Type from "typebox";
import { Value } from "typebox/value";

/** A version of an object that a team brought. */
export interface RawObject {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string;
  readonly size: number;
  /** Grows with each version of a key, compared as text of equal length. */
  readonly sequencer: string;
}

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

const SEQUENCER_LENGTH = 32;

/** An event that this function isn't there for: the queue's policy or the bucket's notification is not what it should be. */
export class UnexpectedEvent extends Error {
  override readonly name = "UnexpectedEvent";
}

/** The objects that a message tells of. Throws `UnexpectedEvent` for another bucket's. */
export function rawObjects({ body }: SQSRecord, rawBucket: string): RawObject[] {
  const message: unknown = JSON.parse(body);
  if (Value.Check(TestEvent, message)) return [];
  return Value.Parse(Notification, message).Records.map(({ eventName, s3: { bucket, object } }) => {
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
}

/** Folders that the console makes are objects without content. */
export const isFolder = ({ key, size }: RawObject) => key.endsWith("/") && size === 0;
