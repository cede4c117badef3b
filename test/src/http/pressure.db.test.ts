import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RequestLimits } from "../../../src/http/limits.ts";
import { type Api, startApi } from "../api.ts";

const waiting = 3;

/** Takes every connection of a pool, and gives them back by the returned function. */
async function exhaust(pool: pg.Pool): Promise<() => void> {
  const clients = await Promise.all(Array.from({ length: pool.options.max ?? 10 }, () => pool.connect()));
  return () => {
    for (const client of clients) client.release();
  };
}

describe("a node whose database has no connection left", () => {
  let api: Api;

  beforeAll(async () => {
    api = await startApi({ limits: { waitingForDatabase: waiting } });
  });

  afterAll(() => api.close());

  it("refuses requests when too many wait for one, answers probes, and goes on when there is one", async () => {
    const { pool } = api.database;
    const release = await exhaust(pool);
    const queued = Array.from({ length: waiting - 1 }, () => pool.query("select 1"));
    // One more may wait, and is answered in the end.
    const last = api.send("GET", "/v1/teams");
    await vi.waitFor(() => expect(pool.waitingCount).toBe(waiting));
    for (const url of ["/v1/teams", "/v1/whoami", "/readyz"]) {
      const { status, headers, body } = await api.send("GET", url);
      expect(status, url).toBe(503);
      expect(Number(headers["retry-after"])).toBeGreaterThan(0);
      expect(body).toMatchObject({ code: "unavailable", status: 503 });
    }
    expect((await api.send("GET", "/healthz")).status).toBe(200);
    expect(pool.waitingCount).toBe(waiting);
    release();
    await Promise.all(queued);
    expect((await last).status).toBe(200);
    expect((await api.send("GET", "/readyz")).status).toBe(200);
    expect((await api.send("GET", "/v1/teams")).status).toBe(200);
  });
});

describe("a node that can't keep up", () => {
  it("is not one that has just started, however long that took", async () => {
    const api = await startApi({ limits: { eventLoopDelayMs: 1e-6 } });
    try {
      const readyAt = performance.now();
      // Longer than the first sample lasts.
      await vi.waitFor(() => expect(performance.now() - readyAt).toBeGreaterThan(6_000), { timeout: 10_000 });
      expect((await api.send("GET", "/v1/whoami")).status).toBe(200);
    } finally {
      await api.close();
    }
  }, 30_000);

  it.each<[string, Partial<RequestLimits>]>([
    ["because its event loop is late", { eventLoopDelayMs: 1e-6 }],
    ["because its memory is full", { heapFraction: 1e-6 }],
  ])(
    "%s refuses requests and answers probes",
    async (_, limits) => {
      const api = await startApi({ limits });
      try {
        // The first samples are taken after some seconds.
        await vi.waitFor(async () => expect((await api.send("GET", "/v1/whoami")).status).toBe(503), {
          timeout: 20_000,
          interval: 100,
        });
        const { headers, body } = await api.send("GET", "/v1/whoami");
        expect(body).toMatchObject({ code: "unavailable", status: 503 });
        expect(headers["retry-after"]).toBe("5");
        for (const url of ["/healthz", "/readyz"]) expect((await api.send("GET", url)).status).toBe(200);
      } finally {
        await api.close();
      }
    },
    30_000,
  );
});
