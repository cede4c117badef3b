import type { S3Client } from "@aws-sdk/client-s3";
import type { Static, TSchema } from "typebox";
import { Value } from "typebox/value";
import { type ObjectPlace, readDocument, WriteConflict, writeDocument } from "../runtime/documents.ts";
import type { ModelVersion } from "./model-package.ts";
import { s3Uri } from "./objects.ts";

/** Where a document of a version should be there is something else. */
export class DocumentConflict extends Error {
  override readonly name = "DocumentConflict";
}

interface DocumentKind<T extends TSchema> {
  readonly bucket: string;
  readonly schema: T;
  readonly key: (version: number) => string;
  /** The version that a document says it is of. */
  readonly modelArn: (document: Static<T>) => string;
}

/** Documents of one kind, one a version, each written once. */
export class VersionDocuments<T extends TSchema> {
  readonly #s3: S3Client;
  readonly #kind: DocumentKind<T>;

  constructor(s3: S3Client, kind: DocumentKind<T>) {
    this.#s3 = s3;
    this.#kind = kind;
  }

  placeOf({ version }: ModelVersion): ObjectPlace {
    return { bucket: this.#kind.bucket, key: this.#kind.key(version) };
  }

  /** Undefined where the version has none. Throws `DocumentConflict`. */
  async read(model: ModelVersion): Promise<Static<T> | undefined> {
    const place = this.placeOf(model);
    const found = await readDocument(this.#s3, place).catch((error: unknown) => {
      if (error instanceof SyntaxError) return { value: undefined };
      throw error;
    });
    if (found === undefined) return undefined;
    if (this.#isOf(model, found.value)) return found.value;
    throw new DocumentConflict(
      `${s3Uri(place)} is none of ${model.arn}: find out who wrote it, remove it and send the event again`,
    );
  }

  /** Writes the version's document, unless it has one. Answers the one that it has now. Throws `DocumentConflict`. */
  async keep(model: ModelVersion, document: Static<T>): Promise<Static<T>> {
    try {
      await writeDocument(this.#s3, this.placeOf(model), document, { ifAbsent: true });
      return document;
    } catch (error) {
      // The same event, delivered a second time at once, was faster.
      const other = error instanceof WriteConflict ? await this.read(model) : undefined;
      if (other === undefined) throw error;
      return other;
    }
  }

  #isOf(model: ModelVersion, value: unknown): value is Static<T> {
    const { schema, modelArn } = this.#kind;
    return Value.Check(schema, value) && modelArn(value as Static<T>) === model.arn;
  }
}
