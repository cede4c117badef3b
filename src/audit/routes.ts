import { Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import type pg from "pg";
import Type from "typebox";
import { visibleTeams } from "../access/principal.ts";
import { type App, problems } from "../http/app-types.ts";
import { PageQuery, pageOf, parseCursor, toPage } from "../http/pages.ts";
import { invalid } from "../http/validation.ts";
import { inTransaction } from "../postgres/pool.ts";
import { EntryView, entryView, FilterQuery, VerificationQuery, VerificationView } from "./schema.ts";
import { type EntryFilter, listEntries, readEntries, walkEntries } from "./store.ts";
import type { AuditTrail } from "./trail.ts";
import { verifyChain } from "./verify.ts";

export interface AuditRoutesOptions {
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
}

const instant = /^\d{1,16}$/;

/** Who sees a single team's entries must name it: authorization lets nobody else in without. */
export function auditRoutes(app: App, { pool, audit }: AuditRoutesOptions): void {
  app.get(
    "/audit",
    {
      schema: {
        summary: "List changes and denied tries, the newest first",
        tags: ["audit"],
        querystring: Type.Object(
          { ...PageQuery, ...FilterQuery.properties },
          { additionalProperties: false },
        ),
        response: { 200: pageOf(EntryView, "Entries of the audit trail"), ...problems(404) },
      },
    },
    async (request) => {
      const { limit, cursor, ...query } = request.query;
      const before = parseCursor(cursor, instant)?.[0];
      const whole = seesWhole(request);
      const rows = await listEntries(pool, filterOf(query, { whole }), before, limit);
      return toPage(
        rows,
        limit,
        (row) => entryView(row, { whole }),
        (row) => [row.instant],
      );
    },
  );

  app.get(
    "/audit/export",
    {
      // Fastify would read all of it to answer without a body.
      exposeHeadRoute: false,
      schema: {
        summary: "Export changes and denied tries as JSON lines, the oldest first",
        tags: ["audit"],
        querystring: FilterQuery,
        response: {
          200: {
            description: "An entry in each line",
            content: { "application/x-ndjson": { schema: Type.String({ description: "JSON lines" }) } },
          },
          ...problems(404),
        },
      },
    },
    async (request, reply) => {
      const whole = seesWhole(request);
      const lines = exportedLines(pool, filterOf(request.query, { whole }), whole);
      return reply.type("application/x-ndjson").send(Readable.from(lines) as unknown as string);
    },
  );

  app.get(
    "/audit/verification",
    {
      schema: {
        summary:
          "Follow the chain of the whole trail; with a head noted earlier, also what was cut off is found",
        tags: ["audit"],
        querystring: VerificationQuery,
        response: { 200: VerificationView, ...problems() },
      },
    },
    async (request) => {
      const { sequence, hash } = request.query;
      if ((sequence === undefined) !== (hash === undefined)) {
        const path = sequence === undefined ? "query:/sequence" : "query:/hash";
        throw invalid("invalid_request", [{ path, message: "is needed too: both name the noted head" }]);
      }
      const noted = sequence === undefined || hash === undefined ? undefined : { sequence, hash };
      return inTransaction(pool, (client) => verifyChain(walkEntries(client), audit.key, noted));
    },
  );
}

function seesWhole({ principal }: FastifyRequest): boolean {
  return visibleTeams(principal) === undefined;
}

function filterOf({ from, to, ...filter }: FilterQuery, { whole }: { readonly whole: boolean }): EntryFilter {
  return { ...filter, from: momentOf("from", from), to: momentOf("to", to), sinceTeamBegan: !whole };
}

function momentOf(name: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const moment = new Date(text);
  if (!Number.isNaN(moment.getTime())) return moment;
  throw invalid("invalid_request", [
    { path: `query:/${name}`, message: `"${text}" is no moment of any day` },
  ]);
}

/** A batch at a time: the next is read when the receiver has taken this one. */
async function* exportedLines(pool: pg.Pool, filter: EntryFilter, whole: boolean): AsyncGenerator<string> {
  for await (const batch of readEntries(pool, filter))
    yield batch.map((entry) => `${JSON.stringify(entryView(entry, { whole }))}\n`).join("");
}
