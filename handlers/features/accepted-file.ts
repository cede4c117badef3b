import { closeSync, createReadStream, createWriteStream, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import Type, { type Static } from "typebox";
import { Dataset } from "../../programs/spec/dataset.ts";
import { fileSource } from "../dataset/byte-source.ts";
import { csvReader } from "../dataset/csv-file.ts";
import type { Engine } from "../dataset/engine.ts";
import { readText, type TextPart } from "../dataset/text-file.ts";
import { fromParquet, fromText, parquetTypes, quotedName, quotedText } from "../dataset/typed-columns.ts";
import type { ObjectPlace } from "../runtime/documents.ts";

const CR = 0x0d;

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
    const stored = await parquetTypes(engine.rows, path);
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
  const texts =
    format === "csv"
      ? await csv(engine, quotedText(await withLineFeeds(path, columns)), columns.length)
      : jsonLines(file, columns);
  return `SELECT ${typed.join(", ")} FROM ${texts}`;
}

/**
 * DuckDB takes one kind of line end for a whole file, validation takes each as it comes: a file with carriage returns is written anew
 * beside itself, the same records with line feeds between them.
 */
async function withLineFeeds(path: string, columns: DatasetSchema["columns"]): Promise<string> {
  if (!(await hasCarriageReturn(path))) return path;
  const target = `${path}.lf`;
  const file = openSync(target, "w");
  const source = await fileSource(path);
  try {
    const reader = csvReader((names) => {
      writeSync(file, `${names.map((name) => `"${name.replaceAll('"', '""')}"`).join(",")}\n`);
      return names.flatMap((name) => columns.filter((column) => column.name === name));
    });
    const write = async ({ bytes }: TextPart) => {
      writeSync(file, bytes);
    };
    await readText(source, reader, write, { workFolder: dirname(path), lanes: 1 });
  } finally {
    await source.close();
    closeSync(file);
  }
  return target;
}

async function hasCarriageReturn(path: string): Promise<boolean> {
  for await (const bytes of createReadStream(path, { highWaterMark: 1 << 20 })) {
    if (bytes.includes(CR)) return true;
  }
  return false;
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
