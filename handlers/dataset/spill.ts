import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";

const BLOCK_BYTES = 1 << 20;

/** Bytes that are appended and later read again, any number of times: in memory as far as `keepBytes`, beyond that in a file. */
export class Spill {
  readonly #path: string;
  readonly #held: Buffer;
  #heldBytes = 0;
  #file: number | undefined;
  #fileBytes = 0;

  constructor(path: string, keepBytes: number) {
    this.#path = path;
    this.#held = Buffer.allocUnsafeSlow(keepBytes);
  }

  get bytes(): number {
    return this.#fileBytes + this.#heldBytes;
  }

  append(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + this.#held.length - this.#heldBytes);
      this.#held.set(part, this.#heldBytes);
      this.#heldBytes += part.length;
      from += part.length;
      if (this.#heldBytes === this.#held.length) this.#flush();
    }
  }

  #flush(): void {
    this.#file ??= openSync(this.#path, "w+");
    writeSync(this.#file, this.#held, 0, this.#heldBytes);
    this.#fileBytes += this.#heldBytes;
    this.#heldBytes = 0;
  }

  /** Everything in order, in blocks of which each is good until the next one is asked for, and that hold whole words of eight bytes when what was appended does. */
  *blocks(blockBytes = BLOCK_BYTES): Iterable<Uint8Array> {
    if (this.#file !== undefined) {
      const block = Buffer.allocUnsafeSlow(Math.min(blockBytes, this.#fileBytes));
      for (let at = 0; at < this.#fileBytes; ) {
        const count = readSync(this.#file, block, 0, block.length, at);
        yield block.subarray(0, count);
        at += count;
      }
    }
    yield this.#held.subarray(0, this.#heldBytes);
  }

  close(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
    this.#file = undefined;
  }
}
