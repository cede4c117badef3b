import type { FastifyRequest } from "fastify";
import type pg from "pg";
import type { AppError } from "../errors.ts";
import { type AuditTrail, auditContext } from "./trail.ts";

/** Records a request that was refused for who sent it, before that is answered. */
export async function recordDenial(
  { audit, pool }: { readonly audit: AuditTrail; readonly pool: pg.Pool },
  request: FastifyRequest,
  { code }: AppError,
): Promise<void> {
  await audit.denial(pool, auditContext(request), {
    method: request.method,
    path: (request.url.split("?")[0] as string).replace(/^\/v1(?=\/)/, ""),
    team: teamOf(request),
    reason: code,
  });
}

/** The team whose it is, or would be: in the path, by the operation there, or in the query. */
function teamOf({ params, operationTeam, query }: FastifyRequest): string | null {
  const inPath = (params as { readonly team?: string }).team ?? operationTeam;
  const inQuery = (query as { readonly team?: unknown }).team;
  return inPath ?? (typeof inQuery === "string" ? inQuery : null);
}
