import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { uniqueName } from "../../support/builders.ts";
import { credentials } from "../../support/planted-secrets.ts";
import { type Api, startApi } from "../api.ts";

let api: Api;
let team: string;

beforeAll(async () => {
  api = await startApi();
  team = uniqueName("team");
  await api.send("POST", "/v1/teams", { body: { name: team } });
});

afterAll(() => api.close());

describe("a name or reason that holds a credential", () => {
  const secret = credentials.gitHubToken();
  const text = `deploys with ${secret}`;

  it.each([
    ["a team's", "POST", "/v1/teams", { name: "more", displayName: text }, "/displayName"],
    ["a team's new one", "PATCH", "/v1/teams/TEAM", { displayName: text }, "/displayName"],
    ["a key's", "POST", "/v1/keys", { name: text, roles: ["auditor"] }, "/name"],
  ])("as %s is refused by its place, and not repeated", async (_, method, url, body, path) => {
    const refused = await api.send(method, url.replace("TEAM", team), { body });
    expect(refused).toMatchObject({ status: 400, body: { code: "invalid_request", errors: [{ path }] } });
    expect(JSON.stringify([refused.body, api.logged])).not.toContain(secret);
  });

  it("may look like a sentence about credentials", async () => {
    const body = { displayName: "Keeps the password policy and rotates access keys" };
    expect((await api.send("PATCH", `/v1/teams/${team}`, { body })).status).toBe(200);
  });

  it("in a spec is a mistake of the spec", async () => {
    const body = { name: "churn", spec: { tags: { note: credentials.gitHubToken() } } };
    const refused = await api.send("POST", `/v1/teams/${team}/pipelines`, { body });
    expect(refused).toMatchObject({ status: 400, body: { code: "invalid_spec" } });
  });
});
