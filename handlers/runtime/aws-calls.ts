import { channel } from "node:diagnostics_channel";

/** A call of AWS as the SDK was asked for it. */
export interface AwsCall {
  /** The SDK's id of the service, such as `S3` or `SageMaker Runtime`. */
  readonly service: string;
  /** The SDK's command without its suffix, such as `GetObject`. */
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Every call that a function makes is told here: the tests compare them with what its role is granted. */
export const awsCalls = channel("aidlc:aws-call");
