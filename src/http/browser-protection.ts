import helmet from "@fastify/helmet";
import { AppError } from "../errors.ts";
import type { App } from "./app-types.ts";

/** What the pages of the documentation need, and nothing else. */
export const documentationPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  // The pages set styles of elements.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Headers that keep browsers from doing with an answer what it isn't for. No answer ever allows another origin. */
export async function protectBrowsers(app: App): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    frameguard: { action: "deny" },
    hsts: { maxAge: 365 * 86_400, includeSubDomains: true },
    referrerPolicy: { policy: "no-referrer" },
  });
  app.addHook("onSend", async (_request, reply) => {
    if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
  });
}

const foreignSites: ReadonlySet<unknown> = new Set(["cross-site", "same-site"]);

/**
 * Comes after authentication. Refuses what the page of another site makes a browser send, for browsers add the password they
 * remember; only a link may lead here.
 */
export function refuseForeignPages(app: App): void {
  app.addHook("onRequest", async ({ method, headers }) => {
    if (!foreignSites.has(headers["sec-fetch-site"])) return;
    if (method === "GET" && headers["sec-fetch-dest"] === "document") return;
    throw new AppError("forbidden", "Pages of other sites can't use this service: call it from a server");
  });
}
