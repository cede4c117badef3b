import { credentialProblems } from "../../programs/spec/credential-rules.ts";
import type { App } from "./app-types.ts";
import { invalid } from "./validation.ts";

// Their specs are looked at by `parseSpec`, whose answer has the code of a bad spec.
const specRoutes = /\/pipelines(\/:pipeline(\/previews)?)?$/;

/**
 * Refuses bodies, and reasons in a query, in which anything looks like a credential: names and reasons are stored, and shown to others than those who sent
 * them. For the routes that are added later.
 */
export function refuseCredentials(app: App): void {
  app.addHook("preHandler", async ({ body, query, routeOptions }) => {
    const { reason } = query as { readonly reason?: unknown };
    const told = [...credentialProblems({ reason })].map(({ path, message }) => ({
      path: `query:${path}`,
      message,
    }));
    if (told.length > 0) throw invalid("invalid_request", told);
    if (specRoutes.test(routeOptions.url ?? "")) return;
    const problems = [...credentialProblems(body)];
    if (problems.length > 0) throw invalid("invalid_request", problems);
  });
}
