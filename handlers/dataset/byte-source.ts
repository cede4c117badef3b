import { type FileHandle, open } from "node:fs/promises";

/** Bytes of a file from its beginning to its end, once. */
export interface ByteSource {
  /** Fills the buffer from its start, as far as there are bytes; fewer than it holds only at the end. */
  read(into: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

export async function fileSource(path: string): Promise<ByteSource> {
  const file = await open(path);
  return { read: (into) => readFully(file, into), close: () => file.close() };
}

async function readFully(file: FileHandle, into: Uint8Array): Promise<number> {
  let filled = 0;
  while (filled < into.length) {
    const { bytesRead } = await file.read(into, filled, into.length - filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

/** Such as the body of an object in S3. Reads no further ahead than the stream does itself. */
export function streamSource(stream: AsyncIterable<Uint8Array>): ByteSource {
  const pieces = stream[Symbol.asyncIterator]();
  let left: Uint8Array = new Uint8Array(0);
  return {
    read: async (into) => {
      let filled = 0;
      while (filled < into.length) {
        if (left.length === 0) {
          const next = await pieces.next();
          if (next.done === true) break;
          left = next.value;
        }
        const part = left.subarray(0, into.length - filled);
        into.set(part, filled);
        filled += part.length;
        left = left.subarray(part.length);
      }
      return filled;
    },
    close: async () => {
      await pieces.return?.();
    },
  };
}

/** The same bytes; each is told to `watch` on its way, in order. */
export function watched(source: ByteSource, watch: (bytes: Uint8Array) => void): ByteSource {
  return {
    read: async (into) => {
      const count = await source.read(into);
      watch(into.subarray(0, count));
      return count;
    },
    close: source.close,
  };
}
