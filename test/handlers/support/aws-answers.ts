import type { AwsAnswer } from "../../support/aws-recorder.ts";

/** An answer of a service that speaks JSON. */
export const json = (body: unknown): AwsAnswer => ({
  status: 200,
  type: "application/x-amz-json-1.1",
  body: JSON.stringify(body),
});

/** A refusal of a service that speaks JSON. */
export const jsonError = (code: string, message: string): AwsAnswer => ({
  status: 400,
  type: "application/x-amz-json-1.1",
  body: JSON.stringify({ __type: code, message }),
});
