import { once } from "node:events";
import { get as httpGet, type IncomingMessage } from "node:http";
import net, { type AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Api, adminToken, startApi } from "../api.ts";
import { runningOperation } from "../operations/running-operation.ts";

const headersMs = 400;
const requestMs = 800;
const authorization = `authorization: Bearer ${adminToken}`;

let api: Api;
let port: number;
const sockets: net.Socket[] = [];
const timers: NodeJS.Timeout[] = [];

beforeAll(async () => {
  api = await startApi({ limits: { headersMs, requestMs } });
  await api.app.listen({ host: "127.0.0.1", port: 0 });
  port = (api.app.server.address() as AddressInfo).port;
});

afterEach(() => {
  for (const timer of timers.splice(0)) clearInterval(timer);
  for (const socket of sockets.splice(0)) socket.destroy();
});

afterAll(() => api.close());

interface Connection {
  readonly socket: net.Socket;
  /** Everything that was received until the other side closed, and how long that took. */
  readonly closed: Promise<{ readonly text: string; readonly afterMs: number }>;
}

async function connect(to = port): Promise<Connection> {
  const socket = net.connect(to, "127.0.0.1");
  sockets.push(socket);
  socket.on("error", () => {});
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  const startMs = performance.now();
  const closed = once(socket, "close").then(() => ({ text, afterMs: performance.now() - startMs }));
  await once(socket, "connect");
  return { socket, closed };
}

/** Sends a piece again and again, more often than any time-out for silence could be. */
function drip(socket: net.Socket, piece: () => string): void {
  timers.push(setInterval(() => socket.writable && socket.write(piece()), 20));
}

function problemIn(text: string): unknown {
  return JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4));
}

describe("a caller who takes too long", () => {
  it("with headers, one by one, is answered 408 and cut off", async () => {
    const { socket, closed } = await connect();
    let number = 0;
    socket.write(`GET /healthz HTTP/1.1\r\nhost: x\r\n`);
    drip(socket, () => `x-slow-${number++}: a\r\n`);
    const { text, afterMs } = await closed;
    expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(text).toMatch(/\r\ncontent-type: application\/problem\+json\r\n/);
    expect(problemIn(text)).toMatchObject({ code: "request_timeout", status: 408 });
    expect(afterMs).toBeGreaterThanOrEqual(headersMs * 0.9);
  });

  it("with the first line is cut off", async () => {
    const { socket, closed } = await connect();
    socket.write("GET /");
    drip(socket, () => "a");
    expect((await closed).text).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("without a word is cut off", async () => {
    const { closed } = await connect();
    expect((await closed).text).toMatch(/^(HTTP\/1\.1 408 |$)/);
  });

  it("with a body is answered 408 and cut off", async () => {
    const { socket, closed } = await connect();
    socket.write(
      `POST /v1/teams HTTP/1.1\r\nhost: x\r\n${authorization}\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{`,
    );
    drip(socket, () => " ");
    const { text, afterMs } = await closed;
    expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(afterMs).toBeGreaterThanOrEqual(requestMs * 0.9);
  });

  it("with a body of chunks is cut off as well", async () => {
    const { socket, closed } = await connect();
    socket.write(
      `POST /v1/teams HTTP/1.1\r\nhost: x\r\n${authorization}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
    );
    drip(socket, () => "1\r\n \r\n");
    expect((await closed).text).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("doesn't keep others from being answered", async () => {
    const slow = await Promise.all(Array.from({ length: 50 }, () => connect()));
    for (const { socket } of slow) {
      socket.write("GET /healthz HTTP/1.1\r\n");
      drip(socket, () => "x: y\r\n");
    }
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    await Promise.all(slow.map(({ closed }) => closed));
  });
});

describe("a caller who is in time", () => {
  it("may send a request in pieces", async () => {
    const { socket, closed } = await connect();
    for (const piece of ["GET /heal", "thz HTTP/1.1\r\nho", "st: x\r\nconnection: close\r\n", "\r\n"]) {
      await new Promise((sent) => socket.write(piece, sent));
    }
    expect((await closed).text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it("may wait for an operation longer than a request may take to arrive", async () => {
    const { id } = await runningOperation(api.database.pool);
    const startMs = performance.now();
    const answer = await fetch(`http://127.0.0.1:${port}/v1/operations/${id}`, {
      headers: { authorization: `Bearer ${adminToken}`, prefer: "wait=2" },
    });
    expect(answer.status).toBe(200);
    expect(performance.now() - startMs).toBeGreaterThan(2 * requestMs);
  });

  it("may follow events longer than a request may take to arrive", async () => {
    const operation = await runningOperation(api.database.pool);
    const request = httpGet(`http://127.0.0.1:${port}/v1/operations/${operation.id}/events`, {
      agent: false,
      headers: { authorization: `Bearer ${adminToken}`, accept: "text/event-stream" },
    });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    let text = "";
    response.on("data", (chunk) => {
      text += chunk;
    });
    await fetch(`http://127.0.0.1:${port}/v1/operations/${operation.id}`, {
      headers: { authorization: `Bearer ${adminToken}`, prefer: "wait=2" },
    });
    await operation.tell("still here");
    await operation.end();
    await once(response, "end");
    expect(text).toContain("still here");
    expect(text).toContain("event: end");
  });
});

describe("headers", () => {
  const withHeader = async (length: number) => {
    const { socket, closed } = await connect();
    socket.write(`GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx: ${"a".repeat(length)}\r\n\r\n`);
    return (await closed).text;
  };

  it("may have 16 KiB, and no more", async () => {
    expect(await withHeader(16 * 1024 - 100)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const text = await withHeader(16 * 1024);
    expect(text).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
    expect(problemIn(text)).toMatchObject({ code: "headers_too_large", status: 431 });
  });

  it("that are no HTTP are answered 400", async () => {
    const { socket, closed } = await connect();
    socket.write("HELO example.com\r\n\r\n");
    const { text } = await closed;
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(problemIn(text)).toMatchObject({ code: "invalid_request", status: 400 });
  });

  it.each([
    ["two lengths", "content-length: 1\r\ncontent-length: 2"],
    ["a length and chunks", "content-length: 1\r\ntransfer-encoding: chunked"],
    ["a line break of its own", "x: a\rb: c"],
    ["a NUL", "x: a\0b"],
  ])("with %s are answered 400: proxies and we could read them differently", async (_, header) => {
    const { socket, closed } = await connect();
    socket.write(`POST /v1/teams HTTP/1.1\r\nhost: x\r\n${authorization}\r\n${header}\r\n\r\n`);
    expect((await closed).text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  });
});

describe("connections", () => {
  it("are limited in number; each that ends makes room", async () => {
    const other = await startApi({ limits: { connections: 2 } });
    try {
      await other.app.listen({ host: "127.0.0.1", port: 0 });
      const to = (other.app.server.address() as AddressInfo).port;
      const ask = ({ socket }: Connection) => {
        socket.write("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
        return once(socket, "data");
      };
      const [first, second] = [await connect(to), await connect(to)];
      await Promise.all([ask(first), ask(second)]);
      const third = await connect(to);
      expect((await third.closed).text).toBe("");
      first.socket.destroy();
      await expect
        .poll(async () => {
          const next = await connect(to);
          return Promise.race([ask(next).then(String), next.closed.then(({ text }) => text)]);
        })
        .toMatch(/^HTTP\/1\.1 200 OK/);
    } finally {
      await other.close();
    }
  }, 30_000);

  it("on which nothing moves any more are cut off", async () => {
    const other = await startApi({ limits: { silenceMs: 300 } });
    try {
      await other.app.listen({ host: "127.0.0.1", port: 0 });
      const { id } = await runningOperation(other.database.pool);
      const { socket, closed } = await connect((other.app.server.address() as AddressInfo).port);
      socket.write(
        `GET /v1/operations/${id} HTTP/1.1\r\nhost: x\r\n${authorization}\r\nprefer: wait=60\r\n\r\n`,
      );
      expect((await closed).text).toBe("");
    } finally {
      await other.close();
    }
  }, 30_000);
});
