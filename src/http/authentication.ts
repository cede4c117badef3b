import type { FastifyRequest } from "fastify";
import type { Identities } from "../access/identities.ts";
import type { Principal } from "../access/principal.ts";
import { AppError } from "../errors.ts";
import type { App } from "./app-types.ts";

/** Routes that answer without a token: probes can't carry one. */
const openPaths: ReadonlySet<string | undefined> = new Set(["/healthz", "/readyz"]);

/**
 * Tells who sends each request, before anything else happens, by `Authorization: Bearer …`. A browser opens the documentation
 * with HTTP Basic, any user name and an API key as password.
 */
export function authentication(app: App, identities: Identities): void {
  app.decorateRequest("principal", null as unknown as Principal);
  app.decorateRequest("authenticate", function (this: FastifyRequest) {
    const route = this.routeOptions.url;
    const token = presentedToken(this, route);
    if (token !== undefined) return identities.authenticate(token, route);
    throw new AppError(
      "unauthenticated",
      "Send an API key, or an access token of the issuer, as `Authorization: Bearer <token>`",
    );
  });
  app.addHook("onRequest", async (request) => {
    if (!openPaths.has(request.routeOptions.url)) request.principal = await request.authenticate();
  });
}

// Browsers send what was typed in once with every request to the address, also with those that another site makes them send:
// HTTP Basic opens nothing but what can only be read.
const forBrowsers = /^(\/docs(\/.*)?|\/openapi\.json)$/;

function presentedToken({ headers, raw }: FastifyRequest, route: string | undefined): string | undefined {
  // Of several, a proxy before us may have judged by another one.
  const headerNames = raw.rawHeaders.filter((_, index) => index % 2 === 0);
  if (headerNames.filter((name) => name.toLowerCase() === "authorization").length > 1) return undefined;
  const [, scheme = "", credentials = ""] = /^(\S+) +(\S+)$/.exec(headers.authorization ?? "") ?? [];
  if (scheme.toLowerCase() === "bearer") return credentials;
  if (scheme.toLowerCase() !== "basic" || !forBrowsers.test(route ?? "")) return undefined;
  const pair = Buffer.from(credentials, "base64").toString("utf8");
  return pair.includes(":") ? pair.slice(pair.indexOf(":") + 1) : undefined;
}
