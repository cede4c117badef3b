import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  GetObjectTaggingCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { cleaned, MAX_DOCUMENT_BYTES } from "./documents.ts";
import { type Findings, noFindings, type Search } from "./findings.ts";
import type { ParquetReader } from "./parquet-reader.ts";
import type { ObjectKind } from "./places.ts";
import { Unsearchable } from "./records.ts";
import { RowFilter } from "./rows.ts";

export interface ObjectVersion {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string;
  readonly kind: ObjectKind;
  readonly bytes: number;
}

export interface Searched extends Findings {
  /** Of the version's content, in hex. */
  readonly sha256: string;
  /** Of what it would be without the subject's rows; undefined where only writing it tells. */
  readonly keptSha256?: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The mark of an object that was written again without somebody's rows: the erasure's id. */
export const ERASED_MARK = "aidlc-erased";

/** Where the first bytes say that it is compressed: nothing is decompressed, so nobody can search it. */
const COMPRESSED = [
  [0x1f, 0x8b],
  [0x28, 0xb5, 0x2f, 0xfd],
  [0x50, 0x4b, 0x03, 0x04],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58],
];

/** Searches and rewrites versions of objects in bounded memory: text is streamed, Parquet goes through a file and another process. */
export class Objects {
  readonly #s3: S3Client;
  readonly #parquet: ParquetReader;

  constructor(s3: S3Client, parquet: ParquetReader) {
    this.#s3 = s3;
    this.#parquet = parquet;
  }

  /** Looks for the subject's rows. Throws `Unsearchable`, `OutOfTime`. */
  async search(version: ObjectVersion, search: Search): Promise<Searched> {
    const answer = await this.#open(version);
    const hash = createHash("sha256");
    const findings = await this.#searchContent(version, hashed(bodyOf(answer), hash), search);
    return { ...findings, sha256: hash.digest("hex"), metadata: answer.Metadata ?? {} };
  }

  async #searchContent(
    version: ObjectVersion,
    body: Readable,
    search: Search,
  ): Promise<Findings & Pick<Searched, "keptSha256">> {
    const { kind } = version;
    if (kind === "document") {
      const { found, text } = cleaned(await this.#whole(version, body), search.subject);
      return { ...noFindings(), rows: 1, found, keptSha256: sha256Of(text) };
    }
    if (kind === "parquet") return this.#asFile(body, (file) => this.#parquet.search(file, search));
    const filter = new RowFilter(kind, search);
    const hash = createHash("sha256");
    for await (const records of kept(body, filter)) hash.update(records);
    return { ...filter.findings, keptSha256: hash.digest("hex") };
  }

  /**
   * Writes the current version again without the subject's rows, under the same key, with its type, metadata and tags, and marked.
   * Only over the version that was read: S3 refuses it where there is a newer one. Returns the new version and its SHA-256.
   */
  async rewrite(
    version: ObjectVersion,
    search: Search,
    was: { readonly requestId: string; readonly sha256: string; readonly keptSha256?: string | undefined },
  ): Promise<{ readonly versionId: string; readonly sha256: string }> {
    const answer = await this.#open(version);
    const body = bodyOf(answer);
    if (version.kind === "document") {
      const { text } = cleaned(await this.#whole(version, body), search.subject);
      return this.#put(version, answer, Readable.from([Buffer.from(text)]), {
        ...was,
        keptSha256: sha256Of(text),
      });
    }
    if (version.kind === "parquet") {
      return this.#asFile(body, async (file) => {
        const target = `${file}.kept`;
        await this.#parquet.rewrite(file, search, target);
        const keptSha256 = await sha256OfFile(target);
        return this.#put(version, answer, createReadStream(target), { ...was, keptSha256 });
      });
    }
    return this.#put(version, answer, Readable.from(kept(body, new RowFilter(version.kind, search))), was);
  }

  async #put(
    { bucket: Bucket, key: Key, versionId: VersionId }: ObjectVersion,
    before: GetObjectCommandOutput,
    content: Readable,
    was: { readonly requestId: string; readonly sha256: string; readonly keptSha256?: string | undefined },
  ): Promise<{ readonly versionId: string; readonly sha256: string }> {
    const { TagSet = [] } = await this.#s3.send(new GetObjectTaggingCommand({ Bucket, Key, VersionId }));
    const tags = Object.fromEntries(TagSet.map(({ Key: tag = "", Value = "" }) => [tag, Value]));
    const hash = createHash("sha256");
    const upload = new Upload({
      client: this.#s3,
      params: {
        Bucket,
        Key,
        Body: hashed(content, hash),
        ...contentHeaders(before),
        Metadata: { ...renewed(before.Metadata ?? {}, was), [ERASED_MARK]: was.requestId },
        ...(TagSet.length > 0 && { Tagging: new URLSearchParams(renewed(tags, was)).toString() }),
        IfMatch: before.ETag,
      },
    });
    const { VersionId: versionId = "" } = await upload.done();
    return { versionId, sha256: hash.digest("hex") };
  }

  #open({ bucket, key, versionId }: ObjectVersion): Promise<GetObjectCommandOutput> {
    return this.#s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
  }

  async #whole({ bytes }: ObjectVersion, body: Readable): Promise<Buffer> {
    if (bytes > MAX_DOCUMENT_BYTES) throw new Unsearchable("It is a JSON document of more than 64 MiB");
    return buffer(body);
  }

  async #asFile<T>(body: Readable, work: (file: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), "erase-"));
    try {
      const file = join(folder, "object");
      await pipeline(body, createWriteStream(file));
      return await work(file);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

const bodyOf = (answer: GetObjectCommandOutput): Readable => answer.Body as Readable;

/** The same bytes, counted into the hash on their way. */
function hashed(content: Readable, hash: ReturnType<typeof createHash>): Readable {
  return Readable.from(
    (async function* () {
      for await (const chunk of content) {
        hash.update(chunk);
        yield chunk;
      }
    })(),
    { objectMode: false },
  );
}

async function* kept(body: Readable, filter: RowFilter): AsyncGenerator<Buffer> {
  let isFirst = true;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (isFirst && COMPRESSED.some((magic) => chunk.subarray(0, magic.length).equals(Buffer.from(magic)))) {
      throw new Unsearchable("It is compressed");
    }
    isFirst = false;
    const records = filter.push(chunk);
    if (records.length > 0) yield Buffer.concat(records);
  }
  const last = filter.end();
  if (last.length > 0) yield Buffer.concat(last);
}

const sha256Of = (text: string) => createHash("sha256").update(text).digest("hex");

/** Labels that name the content by its checksum name the new content. */
function renewed(
  labels: Readonly<Record<string, string>>,
  { sha256, keptSha256 }: { readonly sha256: string; readonly keptSha256?: string | undefined },
): Record<string, string> {
  const base64 = (hex: string) => Buffer.from(hex, "hex").toString("base64");
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => {
      if (keptSha256 === undefined) return [name, value];
      if (value === sha256) return [name, keptSha256];
      return [name, value === base64(sha256) ? base64(keptSha256) : value];
    }),
  );
}

async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

function contentHeaders(before: GetObjectCommandOutput) {
  const { ContentType, ContentEncoding, ContentLanguage, ContentDisposition, CacheControl } = before;
  return { ContentType, ContentEncoding, ContentLanguage, ContentDisposition, CacheControl };
}
