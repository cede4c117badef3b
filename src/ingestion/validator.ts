import { fileURLToPath } from "node:url";
import type { Validation } from "../../handlers/dataset/validate-data.ts";
import { type FileValidation, validateInChild } from "../../handlers/dataset/validate-in-child.ts";

const program = fileURLToPath(new URL("../../handlers/validate/child.ts", import.meta.url));

// A gigabyte takes some ten seconds.
const limitMs = 15 * 60_000;

/**
 * Validates a file in a process of its own: counting keeps a thread busy, and the service goes on answering. Rejects where that could
 * not be done, for whatever reason; then it can be tried again.
 */
export const validateApart = (
  request: Omit<FileValidation, "limitMs" | "now">,
  signal: AbortSignal,
): Promise<Validation> =>
  // Whatever the service was started with is none of the process's business.
  validateInChild(program, { ...request, now: new Date(), limitMs }, { env: {}, signal });
