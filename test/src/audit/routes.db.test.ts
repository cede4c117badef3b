import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { inTransaction } from "../../../src/postgres/pool.ts";
import type { Document } from "../../support/builders.ts";
import { type Api, adminToken, type Caller, startApi } from "../api.ts";

let api: Api;
let auditor: Caller;
let maintainer: Caller;

beforeAll(async () => {
  api = await startApi();
  for (const name of ["fraud", "churn", "fraud-2"]) await api.send("POST", "/v1/teams", { body: { name } });
  for (let count = 0; count < 4; count++)
    await api.send("PATCH", "/v1/teams/fraud", { body: { displayName: `Fraud ${count}` } });
  auditor = await api.as({ platform: ["auditor"] });
  maintainer = await api.as({ teams: { fraud: ["maintainer"] } });
  await maintainer.send("DELETE", "/v1/teams/churn");
});

afterAll(() => api.close());

const list = async (query = "", by: Pick<Caller, "send"> = auditor): Promise<Document[]> =>
  (await by.send("GET", `/v1/audit${query}`)).body.items;

describe("the list of entries", () => {
  it("has the newest first, with what was there before and after", async () => {
    const [denied, changed] = await list();
    expect(denied).toMatchObject({ action: "request.delete", outcome: "denied", team: "churn" });
    expect(changed).toMatchObject({
      sequence: 7,
      action: "team.update",
      before: { displayName: "Fraud 2" },
      after: { displayName: "Fraud 3" },
      previousHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it("goes on page by page", async () => {
    const all = await list();
    const paged: Document[] = [];
    for (let cursor = ""; ; ) {
      const { body } = await auditor.send("GET", `/v1/audit?limit=3${cursor}`);
      paged.push(...body.items);
      if (body.nextCursor === undefined) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(paged).toEqual(all);
  });

  it("is filtered by team, subject, action, outcome and time", async () => {
    const all = await list();
    const of = (keep: (entry: Document) => boolean) => all.filter(keep);
    expect(await list("?team=fraud")).toEqual(of(({ team }) => team === "fraud"));
    expect(await list(`?subject=${maintainer.subject}`)).toHaveLength(1);
    expect(await list("?action=team.create")).toEqual(of(({ action }) => action === "team.create"));
    expect(await list("?outcome=denied")).toEqual(of(({ outcome }) => outcome === "denied"));
    const { at } = all[3];
    expect(await list(`?to=${at}`)).toEqual(of((entry) => new Date(entry.at) < new Date(at)));
    expect(await list(`?from=${at}`)).toEqual(of((entry) => new Date(entry.at) >= new Date(at)));
    expect(await list("?from=2020-01-01T00:00:00%2B23:59&to=2020-01-02T00:00:00Z")).toEqual([]);
  });

  it.each([
    "?from=2020-01-01T23:59:60Z",
    "?to=yesterday",
    "?outcome=lost",
    "?cursor=WyJ4Il0",
    "?limit=0",
    "?page=2",
  ])("refuses %s", async (query) => {
    expect(await auditor.send("GET", `/v1/audit${query}`)).toMatchObject({
      status: 400,
      body: { code: "invalid_request" },
    });
  });

  it("shows a team's maintainer their own team's entries, without what numbers and hashes tell of others", async () => {
    const entries = await list("?team=fraud", maintainer);
    expect(entries).toHaveLength(5);
    for (const entry of entries) {
      expect(entry.team).toBe("fraud");
      expect(Object.keys(entry)).not.toEqual(expect.arrayContaining(["sequence"]));
      expect(JSON.stringify(entry)).not.toMatch(/hash/i);
    }
    const { body } = await maintainer.send("GET", "/v1/audit?team=fraud&limit=2");
    const next = await list(`?team=fraud&limit=2&cursor=${body.nextCursor}`, maintainer);
    expect([...body.items, ...next]).toEqual(entries.slice(0, 4));
  });

  it("shows nobody another team's entries, or all", async () => {
    const developer = await api.as({ teams: { fraud: ["developer", "approver"] } });
    for (const path of ["/v1/audit", "/v1/audit/export"]) {
      expect((await maintainer.send("GET", path)).status).toBe(403);
      expect((await maintainer.send("GET", `${path}?team=churn`)).status).toBe(404);
      expect((await developer.send("GET", `${path}?team=fraud`)).status).toBe(403);
      expect((await maintainer.send("GET", `${path}?team=fraud&team=churn`)).status).toBeGreaterThanOrEqual(
        400,
      );
    }
    expect((await maintainer.send("GET", "/v1/audit/verification")).status).toBe(403);
  });
});

const newLines = (chunk: Uint8Array) => chunk.filter((byte) => byte === 10).length;

describe("the export", () => {
  it("is the filtered trail as JSON lines, the oldest first", async () => {
    const { status, headers, body } = await auditor.send("GET", "/v1/audit/export?team=fraud");
    expect([status, headers["content-type"]]).toEqual([200, "application/x-ndjson"]);
    expect(String(body).endsWith("\n")).toBe(true);
    const lines = String(body)
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toEqual((await list("?team=fraud")).reverse());
  });

  it("reads no further than the receiver takes", { timeout: 30_000 }, async () => {
    const large = { text: "x".repeat(30_000) };
    const entries = 1_000;
    await inTransaction(api.database.pool, async (client) => {
      for (let count = 0; count < entries; count++) {
        await api.audit.change(
          client,
          { subject: "user:ada", label: "", sourceAddress: null, requestId: "r" },
          { action: "test.fill", team: "fraud-2", target: "/", after: large },
        );
      }
    });
    const url = await api.app.listen({ host: "127.0.0.1", port: 0 });
    const queries = vi.spyOn(api.database.pool, "query");
    const batches = () =>
      queries.mock.calls.filter(([text]) => /from audit_entries/.test(String(text))).length;
    const answer = await fetch(`${url}/v1/audit/export?team=fraud-2`, {
      headers: { authorization: `Bearer ${adminToken}` },
    });
    const reader = answer.body!.getReader();
    const first = await reader.read();
    // Time for the service to read on, if it would.
    for (let request = 0; request < 20; request++) await api.send("GET", "/v1/teams");
    expect(batches()).toBeLessThan(5);
    let lines = newLines(first.value!);
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read())
      lines += newLines(chunk.value);
    expect(lines).toBe(entries + 1);
    expect(batches()).toBeGreaterThan(5);
    queries.mockRestore();
  });
});

describe("the verification", () => {
  it("answers whole with the head, and with a noted one", async () => {
    const { body } = await auditor.send("GET", "/v1/audit/verification");
    expect(body).toEqual({ ok: true, entries: body.head.sequence, head: body.head });
    const { sequence, hash } = body.head;
    const again = await auditor.send("GET", `/v1/audit/verification?sequence=${sequence}&hash=${hash}`);
    expect(again.body).toMatchObject({ ok: true });
    const beyond = await auditor.send("GET", `/v1/audit/verification?sequence=${sequence + 9}&hash=${hash}`);
    expect(beyond).toMatchObject({
      status: 200,
      body: { ok: false, broken: { reason: expect.any(String) } },
    });
  });

  it("needs both parts of a noted head", async () => {
    for (const query of ["sequence=1", `hash=${"a".repeat(64)}`])
      expect((await auditor.send("GET", `/v1/audit/verification?${query}`)).status).toBe(400);
  });
});
