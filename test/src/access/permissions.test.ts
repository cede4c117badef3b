import { readFile } from "node:fs/promises";
import fastify from "fastify";
import type pg from "pg";
import { describe, expect, it } from "vitest";
import { authorization, holds } from "../../../src/access/authorization.ts";
import { type Access, accessTo, permissionProblems, permissions } from "../../../src/access/permissions.ts";
import { type TeamRole, teamRoles } from "../../../src/access/principal.ts";
import type { App } from "../../../src/http/app-types.ts";

describe("a route", () => {
  it("that the table doesn't know is a problem, by method and path", () => {
    expect(permissionProblems({ method: "GET", url: "/v1/teams" })).toEqual([]);
    expect(permissionProblems({ method: "GET", url: "/v1/secrets" })).toEqual([
      "GET /v1/secrets has no entry",
    ]);
    expect(permissionProblems({ method: ["GET", "PUT"], url: "/v1/teams" })).toEqual([
      "PUT /v1/teams has no entry",
    ]);
  });

  it("is known by its own path only", () => {
    for (const path of ["/v1/teams/", "/v1/TEAMS", "/v1/teams/research", "/v1", ""])
      expect(accessTo("GET", path), path).toBeUndefined();
    for (const method of ["OPTIONS", "constructor", "get"])
      expect(accessTo(method, "/v1/teams"), method).toBeUndefined();
  });

  it("that answers HEAD asks for what its GET asks", () => {
    expect(permissionProblems({ method: ["GET", "HEAD"], url: "/v1/keys" })).toEqual([]);
    expect(accessTo("HEAD", "/v1/keys")).toEqual(accessTo("GET", "/v1/keys"));
    expect(permissionProblems({ method: "HEAD", url: "/v1/teams/:team/members/:subject" })).toHaveLength(1);
  });
});

describe("an application", () => {
  const start = async (method: "GET" | "POST", path: string) => {
    const app = fastify() as unknown as App;
    authorization(app, {} as pg.Pool);
    app.route({ method, url: path, handler: async () => "answer" });
    await app.ready();
  };

  it("starts when the table knows its routes", async () => {
    await expect(start("GET", "/v1/teams")).resolves.toBeUndefined();
  });

  it("doesn't start with a route that the table doesn't know", async () => {
    await expect(start("POST", "/v1/forgotten")).rejects.toThrow("POST /v1/forgotten has no entry");
  });
});

describe("a role in a team", () => {
  it.each<[TeamRole, readonly TeamRole[]]>([
    ["viewer", ["viewer"]],
    ["developer", ["viewer", "developer"]],
    ["maintainer", ["viewer", "developer", "maintainer"]],
    ["approver", ["viewer", "approver"]],
  ])("%s is enough for what takes %j", (role, enoughFor) => {
    expect(teamRoles.filter((needed) => holds(new Set([role]), needed))).toEqual(enoughFor);
  });

  it("is needed: without one, nothing is enough", () => {
    for (const role of teamRoles) {
      expect(holds(undefined, role)).toBe(false);
      expect(holds(new Set(), role)).toBe(false);
    }
  });
});

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

const words = {
  everybody: "everybody",
  bootstrap: "bootstrap token",
  principals: "any token",
  service: "admin",
  platform: "auditor",
  admins: "admin",
} as const;

const inWords = (access: Access | undefined) =>
  access === undefined
    ? ""
    : access.to === "team"
      ? [access.role, access.orRole].filter((role) => role !== undefined).join(" or ")
      : words[access.to];

describe("docs/access.md", () => {
  it("has a line for every path, with what each method takes", async () => {
    const paths = [...new Set(Object.keys(permissions).map((route) => route.split(" ")[1] as string))];
    const rows = paths.map(
      (path) => `| \`${path}\` | ${methods.map((method) => inWords(accessTo(method, path))).join(" | ")} |`,
    );
    const text = await readFile(new URL("../../../docs/access.md", import.meta.url), "utf8");
    expect(text.split("\n").filter((line) => line.startsWith("| `/"))).toEqual(rows);
  });
});
