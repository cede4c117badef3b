/**
 * Whether an error says that the database is away: not reached, shutting down or starting. A connection that breaks in the middle of a
 * query makes pg throw an error that has only a message.
 */
export function isAway(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (message === "Connection terminated unexpectedly") return true;
  return typeof code === "string" && /^(08...|57P0[123]|ECONNREFUSED|ECONNRESET|EPIPE)$/.test(code);
}

/**
 * Whether an error says that the database can't be had at the moment, rather than that it refused what was asked: the same call
 * may succeed later. SQLSTATE classes: 08 connection, 40 rolled back for others' sake, 53 resources, 57P0x shut down or
 * starting (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
export function isUnavailable(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return isAway(error) || (typeof code === "string" && /^(40001|40P01|53...|57P0.)$/.test(code));
}
