import { once } from "node:events";
import { get as httpGet, type IncomingMessage } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type Api, adminToken, internalToken, startApi } from "../api.ts";
import { runningOperation } from "../operations/running-operation.ts";

const minuteMs = 60_000;

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Only the clock stands still: timers go on. */
const stopClock = () => vi.useFakeTimers({ toFake: ["Date"] });

describe("requests of one identity", () => {
  let api: Api;

  beforeAll(async () => {
    api = await startApi({ limits: { requestsPerMinute: 5 } });
  });

  afterAll(() => api.close());

  it("are answered up to the limit and refused over it, until the minute is over", async () => {
    stopClock();
    const caller = await api.as({});
    for (let request = 1; request <= 5; request++) {
      expect((await caller.send("GET", "/v1/whoami")).status).toBe(200);
    }
    const { status, headers, body } = await caller.send("GET", "/v1/whoami");
    expect(status).toBe(429);
    expect(body).toMatchObject({ code: "rate_limited", status: 429 });
    expect(body.detail).toContain(caller.subject);
    expect(Number(headers["retry-after"])).toBe(60);
    vi.setSystemTime(Date.now() + minuteMs);
    expect((await caller.send("GET", "/v1/whoami")).status).toBe(200);
  });

  it("count whatever they ask for, what isn't there and what they may not do too", async () => {
    const caller = await api.as({});
    const asked = ["/v1/nothing", "/v1/teams/nobody", "/v1/keys", "/v1/teams?limit=0", "/v1/whoami"];
    for (const url of asked) expect((await caller.send("GET", url)).status).not.toBe(429);
    expect((await caller.send("GET", "/v1/whoami")).status).toBe(429);
  });

  it("don't count for another one at the same address", async () => {
    const [first, second] = [await api.as({}), await api.as({})];
    for (let request = 1; request <= 6; request++) await first.send("GET", "/v1/whoami");
    expect((await first.send("GET", "/v1/whoami")).status).toBe(429);
    expect((await second.send("GET", "/v1/whoami")).status).toBe(200);
  });

  it("have no limit where the service asks itself", async () => {
    const headers = { authorization: `Bearer ${internalToken}` };
    for (let request = 1; request <= 12; request++) {
      const url = "/sandbox/aws/cloudcontrol";
      expect((await api.app.inject({ method: "POST", url, headers })).statusCode).not.toBe(429);
    }
  });
});

describe("requests that fail at authentication", () => {
  let api: Api;

  beforeAll(async () => {
    api = await startApi({ limits: { failuresPerMinute: 3 } });
  });

  afterAll(() => api.close());

  let network = 0;
  /** An address of a network of its own. */
  const address = () => {
    network += 1;
    return `198.51.${network}.1`;
  };
  const ask = (remoteAddress: string, token: string | undefined, url = "/v1/whoami") =>
    api.app.inject({
      url,
      remoteAddress,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });

  it.each([
    ["an unknown token", "wrong"],
    ["an unknown key", `aidlc_ffffffffffff_${"x".repeat(43)}`],
    ["no token", undefined],
  ])("with %s are tried up to the limit; over it nothing looks at their tokens", async (_, token) => {
    stopClock();
    const from = address();
    for (let request = 1; request <= 3; request++) expect((await ask(from, token)).statusCode).toBe(401);
    const authenticate = vi.spyOn(api.identities, "authenticate");
    const query = vi.spyOn(api.database.pool, "query");
    const connect = vi.spyOn(api.database.pool, "connect");
    for (let request = 1; request <= 50; request++) {
      const answer = await ask(from, token);
      expect(answer.statusCode).toBe(429);
      expect(answer.json()).toMatchObject({ code: "rate_limited" });
      expect(answer.headers["retry-after"]).toBe("60");
    }
    expect(authenticate).not.toHaveBeenCalled();
    expect(query).not.toHaveBeenCalled();
    expect(connect).not.toHaveBeenCalled();
    vi.setSystemTime(Date.now() + minuteMs);
    expect((await ask(from, token)).statusCode).toBe(401);
  });

  it("close their address to right tokens too, and no other address", async () => {
    const from = address();
    for (let request = 1; request <= 3; request++) await ask(from, "wrong");
    expect((await ask(from, adminToken)).statusCode).toBe(429);
    expect((await ask(address(), adminToken)).statusCode).toBe(200);
  });

  it("are counted alone: right tokens use up nothing", async () => {
    const from = address();
    for (let request = 1; request <= 20; request++) {
      expect((await ask(from, adminToken)).statusCode).toBe(200);
    }
    expect((await ask(from, "wrong")).statusCode).toBe(401);
  });

  it("count together for a network of IPv6, which one caller has whole", async () => {
    for (const host of ["1", "2", "ffff:1"]) await ask(`2001:db8:1:1::${host}`, "wrong");
    expect((await ask("2001:db8:1:1::abcd", "wrong")).statusCode).toBe(429);
    expect((await ask("2001:db8:1:2::1", "wrong")).statusCode).toBe(401);
  });

  it("let probes through", async () => {
    const from = address();
    for (let request = 1; request <= 4; request++) await ask(from, "wrong");
    for (const url of ["/healthz", "/readyz"]) {
      for (let request = 1; request <= 20; request++) {
        expect((await ask(from, undefined, url)).statusCode).toBe(200);
      }
    }
  });

  it("belong to the address of the connection, whatever a header says", async () => {
    const from = address();
    const pretend = (number: number) =>
      api.app.inject({
        url: "/v1/whoami",
        remoteAddress: from,
        headers: { "x-forwarded-for": `203.0.113.${number}` },
      });
    for (let request = 1; request <= 3; request++) await pretend(request);
    expect((await pretend(4)).statusCode).toBe(429);
  });

  it("belong to whom a trusted proxy names", async () => {
    const behind = await startApi({ limits: { failuresPerMinute: 3 }, trustedProxies: ["10.0.0.0/8"] });
    try {
      const through = (proxy: string, client: string) =>
        behind.app.inject({
          url: "/v1/whoami",
          remoteAddress: proxy,
          headers: { "x-forwarded-for": client },
        });
      for (let request = 1; request <= 3; request++) await through("10.0.0.1", "203.0.113.1");
      expect((await through("10.0.0.2", "203.0.113.1")).statusCode).toBe(429);
      expect((await through("10.0.0.1", "203.0.113.2")).statusCode).toBe(401);
      // What the client wrote itself stands before what the proxy added.
      expect((await through("10.0.0.1", "203.0.113.9, 203.0.113.1")).statusCode).toBe(429);
    } finally {
      await behind.close();
    }
  }, 30_000);
});

describe("event streams of one identity", () => {
  let api: Api;
  let origin: string;
  const open: IncomingMessage[] = [];

  beforeAll(async () => {
    api = await startApi({ limits: { streams: 2 } });
    origin = await api.app.listen({ host: "127.0.0.1", port: 0 });
  });

  afterEach(() => {
    for (const stream of open.splice(0)) stream.destroy();
  });

  afterAll(() => api.close());

  const stream = async (id: string, token = adminToken) => {
    const request = httpGet(`${origin}/v1/operations/${id}/events`, {
      agent: false,
      headers: { authorization: `Bearer ${token}`, accept: "text/event-stream" },
    });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.on("error", () => {}).resume();
    open.push(response);
    return response;
  };

  it("are limited; each that ends makes room", async () => {
    const { id } = await runningOperation(api.database.pool);
    const first = await stream(id);
    expect([first.statusCode, (await stream(id)).statusCode]).toEqual([200, 200]);
    const third = await stream(id);
    expect(third.statusCode).toBe(429);
    expect(third.headers["retry-after"]).toBe("5");
    const other = await api.as({ platform: ["auditor"] });
    expect((await stream(id, other.token)).statusCode).toBe(200);
    first.destroy();
    await vi.waitFor(async () => expect((await stream(id)).statusCode).toBe(200), { timeout: 10_000 });
  });

  it("hold no room when there is nothing to stream", async () => {
    const unknown = "00000000-0000-4000-8000-000000000000";
    for (let request = 1; request <= 5; request++) expect((await stream(unknown)).statusCode).toBe(404);
    const { id, end } = await runningOperation(api.database.pool);
    await end();
    for (let request = 1; request <= 5; request++) {
      const response = await stream(id);
      expect(response.statusCode).toBe(200);
      if (!response.readableEnded) await once(response, "end");
    }
  });
});
