import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { AppError } from "../errors.ts";

/** Routes that answer without a token: probes can't carry one. */
const openPaths = new Set(["/healthz", "/readyz"]);

/**
 * Requires the administrator's token as `Authorization: Bearer …`. A browser opens the documentation with HTTP Basic, any user
 * name and the token as password.
 */
export function authentication(adminToken: string) {
  const expected = digest(adminToken);
  return async (request: FastifyRequest): Promise<void> => {
    if (openPaths.has(request.routeOptions.url ?? "")) return;
    const presented = presentedToken(request.headers.authorization);
    if (presented !== undefined && timingSafeEqual(digest(presented), expected)) return;
    throw new AppError(
      "unauthenticated",
      presented === undefined
        ? "Send the administrator's token as `Authorization: Bearer <token>`"
        : "The token is not valid: use AIDLC_BOOTSTRAP_TOKEN or the file admin-token in the data folder",
    );
  };
}

function presentedToken(header: string | undefined): string | undefined {
  const [scheme = "", credentials = ""] = header?.split(" ", 2) ?? [];
  if (scheme.toLowerCase() === "bearer" && credentials) return credentials;
  if (scheme.toLowerCase() !== "basic") return undefined;
  const pair = Buffer.from(credentials, "base64").toString("utf8");
  return pair.includes(":") ? pair.slice(pair.indexOf(":") + 1) : undefined;
}

// Digests have equal lengths, which timingSafeEqual needs, and don't tell the token's own.
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
