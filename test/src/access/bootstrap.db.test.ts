import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Api, adminToken, bootstrapToken, startApi } from "../api.ts";

let api: Api;

beforeEach(async () => {
  api = await startApi();
});

afterEach(() => api.close());

const exchange = (body?: object, token = bootstrapToken) =>
  api.send("POST", "/v1/bootstrap", { headers: { authorization: `Bearer ${token}` }, body });

describe("the bootstrap token", () => {
  it("is exchanged for the first administrator's key, which does everything from then on", async () => {
    const { status, headers, body } = await exchange();
    expect(status).toBe(201);
    expect(headers["cache-control"]).toBe("no-store");
    const { key, ...view } = body;
    expect(view).toMatchObject({ name: "administrator", roles: ["admin"], createdBy: "bootstrap" });
    const byKey = { headers: { authorization: `Bearer ${key}` } };
    expect((await api.send("GET", "/v1/whoami", byKey)).body).toMatchObject({
      subject: `key:${view.id}`,
      platform: ["admin"],
    });
    expect((await api.send("POST", "/v1/teams", { ...byKey, body: { name: "research" } })).status).toBe(201);
    expect((await api.send("GET", String(headers.location), byKey)).body).toMatchObject({ id: view.id });
  });

  it("may name the key", async () => {
    expect((await exchange({ name: "Ada's laptop" })).body.name).toBe("Ada's laptop");
  });

  it("isn't used up by a request that is refused", async () => {
    expect((await exchange({ name: "" })).status).toBe(400);
    expect((await exchange({ roles: ["admin"] })).status).toBe(400);
    expect((await exchange()).status).toBe(201);
  });

  it("is worth nothing afterwards, and the answer says so", async () => {
    await exchange();
    const again = await exchange();
    expect(again).toMatchObject({ status: 409, body: { code: "bootstrapped_already" } });
    expect(again.body.detail).toContain("worth nothing any more");
    const elsewhere = await api.send("GET", "/v1/teams", {
      headers: { authorization: `Bearer ${bootstrapToken}` },
    });
    expect(elsewhere.status).toBe(401);
  });

  it("gives one key, however many ask at once", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => exchange()));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(7).fill(409)]);
    const { rows } = await api.database.pool.query("select id from api_keys where created_by = 'bootstrap'");
    expect(rows).toHaveLength(1);
  });

  it("can't be replaced by anything else, not even by an administrator's key", async () => {
    for (const token of [adminToken, "another-token", `${bootstrapToken}x`, bootstrapToken.slice(0, -1)])
      expect(await exchange(undefined, token)).toMatchObject({
        status: 401,
        body: { code: "unauthenticated" },
      });
  });

  it("is in the audit trail as the one who exchanged it, and in no log", async () => {
    const { body } = await exchange();
    await exchange();
    const { rows } = await api.database.pool.query(
      "select action, subject, target, after from audit_entries where outcome = 'changed'",
    );
    expect(rows).toMatchObject([
      {
        action: "bootstrap.exchange",
        subject: "bootstrap",
        target: `/keys/${body.id}`,
        after: { roles: ["admin"] },
      },
    ]);
    const texts = JSON.stringify([rows, api.logged]);
    expect(texts).not.toContain(bootstrapToken);
    expect(texts).not.toContain(body.key.slice(19));
  });
});
