/** A failure as AWS and its provider word it: an error code and a text, never a stack trace. */
export class AwsError extends Error {
  override readonly name = "AwsError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }

  /** `creating S3 Bucket (name): BucketAlreadyExists: …`, the shape of the real provider's errors. */
  during(action: string, what: string, id: string): string {
    return `${action} ${what} (${id}): ${this.code}: ${this.message}`;
  }
}
