import fastify from "fastify";
import { describe, expect, it } from "vitest";
import type { App } from "../../../src/http/app-types.ts";
import { routedMethods } from "../../../src/http/methods.ts";

describe("the methods of a path", () => {
  const app = fastify() as unknown as App;
  const methodsOf = routedMethods(app);
  app.get("/teams", async () => null);
  app.post("/teams", async () => null);
  app.delete("/teams/:team", async () => null);
  app.put("/teams/:team/keys/:key", async () => null);
  app.get("/docs/*", async () => null);

  it.each([
    ["/teams", ["GET", "HEAD", "POST"]],
    ["/teams/research", ["DELETE"]],
    ["/teams/%2e%2e", ["DELETE"]],
    ["/teams/research/keys/1", ["PUT"]],
    ["/docs/static/index.html", ["GET", "HEAD"]],
  ])("%s are those of its routes", (path, methods) => {
    expect(methodsOf(path)).toEqual(methods);
  });

  it.each(["/", "/team", "/teamsters", "/teams/", "/teams/a/b", "/x/teams"])("%s are none", (path) => {
    expect(methodsOf(path)).toEqual([]);
  });
});
