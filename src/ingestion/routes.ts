import type pg from "pg";
import Type from "typebox";
import { auditContext } from "../audit/trail.ts";
import { AppError } from "../errors.ts";
import { type App, problems } from "../http/app-types.ts";
import { cursorPart, PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { pipelineOf } from "../pipelines/routes.ts";
import { PipelineParams } from "../pipelines/schema.ts";
import { getRevision } from "../pipelines/store.ts";
import { refuseTooLarge } from "./files.ts";
import type { Ingestor } from "./ingestor.ts";
import { FileView, fileView } from "./schema.ts";
import { listIngestions } from "./store.ts";

export interface IngestionRoutesOptions {
  readonly pool: pg.Pool;
  /** Only where the target is the sandbox. */
  readonly ingestor: Ingestor | undefined;
}

/** Media types of the formats that a spec can name, and how their files end. */
const formats = {
  csv: { type: "text/csv", end: "csv" },
  jsonl: { type: "application/jsonl", end: "jsonl" },
  parquet: { type: "application/vnd.apache.parquet", end: "parquet" },
} as const;

const mediaTypes = Object.values(formats).map(({ type }) => type);

/** The way of data into a pipeline of the sandbox. Register it in a scope of its own: its bodies are streams. */
export function ingestionRoutes(app: App, { pool, ingestor }: IngestionRoutesOptions): void {
  // The route reads the body itself, as it arrives: it needn't fit into memory, and what looks at bodies has nothing to look at.
  app.addContentTypeParser([...mediaTypes], (_request, _payload, done) => done(null, undefined));

  app.post(
    "/teams/:team/pipelines/:pipeline/data",
    {
      schema: {
        summary: "Give a pipeline of the sandbox a file; its verdict is in the list",
        tags: ["pipelines"],
        params: PipelineParams,
        consumes: mediaTypes,
        querystring: Type.Object(
          {
            name: Type.Optional(
              Type.String({
                maxLength: 100,
                pattern: "^[A-Za-z0-9][A-Za-z0-9._-]*$",
                description: "Name of the file",
              }),
            ),
          },
          { additionalProperties: false },
        ),
        body: Type.Optional(
          Type.Unknown({ description: "A file in the format that the spec names, of at most 2 GiB" }),
        ),
        response: { 202: FileView, ...problems(404, 409, 413, 415) },
      },
    },
    async (request, reply) => {
      const pipeline = await pipelineOf(pool, request.params);
      if (ingestor === undefined) {
        throw new AppError(
          "sandbox_only",
          "This service provisions AWS: upload the file to the pipeline's raw bucket, whose name is in its outputs",
        );
      }
      const { spec } = await getRevision(
        pool,
        pipeline.id,
        pipeline.appliedRevision ?? pipeline.desiredRevision,
      );
      const { type, end } = formats[spec.dataset.format];
      const given = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
      if (given !== type) {
        throw new AppError(
          "unsupported_media_type",
          `The data of this pipeline is ${spec.dataset.format}: send ${type}`,
        );
      }
      refuseTooLarge(Number(request.headers["content-length"] ?? 0));
      const name = request.query.name ?? `upload.${end}`;
      const ingestion = await ingestor.receive(pipeline, name, request.raw, auditContext(request));
      return reply.code(202).send(fileView(ingestion));
    },
  );

  app.get(
    "/teams/:team/pipelines/:pipeline/data",
    {
      schema: {
        summary: "List the files that a pipeline of the sandbox was given, with their verdicts, newest first",
        tags: ["pipelines"],
        params: PipelineParams,
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: { 200: pageOf(FileView, "Files"), ...problems(404) },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const { id } = await pipelineOf(pool, request.params);
      const before = parseCursor(cursor, cursorPart.count)?.[0];
      const rows = await listIngestions(pool, id, {
        before: before === undefined ? undefined : Number(before),
        limit,
      });
      return toPage(rows, limit, fileView, ({ number }) => [String(number)]);
    },
  );
}
