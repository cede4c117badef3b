import { createWriteStream } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import Type, { type Static } from "typebox";
import { Dataset } from "../../programs/spec/dataset.ts";
import type { Engine } from "../dataset/engine.ts";
import { fromParquet, fromText, quotedName, quotedText } from "../dataset/typed-columns.ts";
import type { ObjectPlace } from "../runtime/documents.ts";

/** The document `dataset/schema`. */
export const DatasetSchema = Type.Object({
  format: Dataset.properties.format,
  columns: Dataset.properties.schema,
});
export type DatasetSchema = Static<typeof DatasetSchema>;

/** Brings an object into a file, in pieces. */
export async function download(
  s3: S3Client,
  { bucket, key, versionId }: ObjectPlace,
  path: string,
): Promise<void> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
  await pipeline(Body as Readable, createWriteStream(path));
}

/**
 * A query for the rows of an accepted file, in its order, with every column in its type and read by the rules of validation.
 * What a file of another format or with other columns is was decided there: here it makes the query fail.
 */
export async function acceptedRows(
  engine: Engine,
  path: string,
  { format, columns }: DatasetSchema,
): Promise<string> {
  const file = quotedText(path);
  if (format === "parquet") {
    const described = await engine.rows(`DESCRIBE SELECT * FROM read_parquet(${file})`);
    const stored = new Map(described.map((row) => [String(row.column_name), String(row.column_type)]));
    const typed = columns.map((column) => {
      const name = quotedName(column.name);
      const found = fromParquet(column, stored.get(column.name) ?? "", name);
      return `${found?.value ?? `error('unreadable')`} AS ${name}`;
    });
    return `SELECT ${typed.join(", ")} FROM read_parquet(${file})`;
  }
  const typed = columns.map((column) => {
    const name = quotedName(column.name);
    const { value } = fromText(column, name, name, false);
    return `${value} AS ${name}`;
  });
  const texts = format === "csv" ? await csv(engine, file, columns.length) : jsonLines(file, columns);
  return `SELECT ${typed.join(", ")} FROM ${texts}`;
}

/** Nothing is guessed: lines that begin with # are data, and so is whatever looks like a second header. */
const CSV =
  "auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = '', strict_mode = true, null_padding = false, " +
  "compression = 'none', max_line_size = 16777216, buffer_size = 67108864";

const texts = (names: readonly string[]) =>
  `columns = {${names.map((name) => `${quotedText(name)}: 'VARCHAR'`).join(", ")}}`;

/** All fields as texts, empty ones as nulls, under the names in the header: accepted files have all columns, in any order. */
async function csv(engine: Engine, file: string, width: number): Promise<string> {
  const places = Array.from({ length: width }, (_, place) => `c${place}`);
  const [header = {}] = await engine.rows(
    `SELECT * FROM read_csv(${file}, ${CSV}, header = false, ${texts(places)}) LIMIT 1`,
  );
  const names = places.map((place) => String(header[place]));
  return `read_csv(${file}, ${CSV}, header = true, ${texts(names)})`;
}

const jsonLines = (file: string, columns: DatasetSchema["columns"]) =>
  `read_json(${file}, format = 'newline_delimited', compression = 'uncompressed', maximum_object_size = 16777216,
    ${texts(columns.map(({ name }) => name))})`;
