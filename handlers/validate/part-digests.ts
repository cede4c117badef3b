import { createHash, type Hash } from "node:crypto";

/** S3 copies at most 5 GB at once; larger objects in parts of this size, of which it takes 10,000. */
export const COPY_PART_BYTES = 1024 ** 3;

/** SHA-256 of each part of bytes that come in order, for S3's checksum of an object that was copied in parts. */
export class PartDigests {
  readonly #partBytes: number;
  readonly #digests: Buffer[] = [];
  #hash: Hash = createHash("sha256");
  #held = 0;

  constructor(partBytes: number) {
    this.#partBytes = partBytes;
  }

  update(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + this.#partBytes - this.#held);
      this.#hash.update(part);
      this.#held += part.length;
      from += part.length;
      if (this.#held === this.#partBytes) this.#end();
    }
  }

  #end(): void {
    this.#digests.push(this.#hash.digest());
    this.#hash = createHash("sha256");
    this.#held = 0;
  }

  /** https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html: of the parts' digests, and how many. */
  composite(): string {
    if (this.#held > 0) this.#end();
    const digest = createHash("sha256").update(Buffer.concat(this.#digests)).digest("base64");
    return `${digest}-${this.#digests.length}`;
  }
}
