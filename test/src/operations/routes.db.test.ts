import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Agent, get as httpGet, type IncomingMessage } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { claimOperation, finishOperation } from "../../../src/operations/claims.ts";
import { appendEvents, type StoredEvent } from "../../../src/operations/events.ts";
import { requestCancel } from "../../../src/operations/store.ts";
import { ensureStack } from "../../../src/stacks/store.ts";
import { type Document, uniqueName, validSpec } from "../../support/builders.ts";
import { type Api, adminToken, startApi } from "../api.ts";
import { queuedOperation } from "./queued-operation.ts";

let api: Api;
let origin: string;
const streams: IncomingMessage[] = [];
const agents: Agent[] = [];

beforeAll(async () => {
  api = await startApi();
  origin = await api.app.listen({ host: "127.0.0.1", port: 0 });
});

afterEach(() => {
  for (const stream of streams.splice(0)) stream.destroy();
  for (const agent of agents.splice(0)) agent.destroy();
});

afterAll(() => api.close());

async function running() {
  const stackId = await ensureStack(api.database.pool, "aidlc-foundation", randomUUID());
  const { id } = await queuedOperation(api.database.pool, { stackId });
  const claim = await claimOperation(api.database.pool, id, { node: "n", leaseMs: 60_000 });
  let sequence = 0;
  return {
    id,
    append: async (count: number) => {
      const events = Array.from({ length: count }, (): StoredEvent => {
        sequence += 1;
        const body = { severity: "warning", message: `line 1\nline 2 of ${sequence}: "quoted" ünï` };
        return { sequence, at: new Date(), type: "diagnostic", phase: null, body };
      });
      await appendEvents(api.database.pool, id, claim?.fencingToken ?? 0, events);
    },
    end: (state: "succeeded" | "failed" | "cancelled" = "succeeded") =>
      finishOperation(api.database.pool, id, claim?.fencingToken ?? 0, {
        state,
        result: { changes: {} },
        error: null,
      }),
  };
}

interface Message {
  readonly id?: number;
  readonly event?: string;
  readonly data?: Document;
}

/** One message of a stream as https://html.spec.whatwg.org/multipage/server-sent-events.html reads it. */
function parseMessage(block: string): Message | undefined {
  const message: { id?: number; event?: string; data?: Document } = {};
  for (const line of block.split("\n")) {
    const [field, ...rest] = line.split(": ");
    const value = rest.join(": ");
    if (field === "id") message.id = Number(value);
    if (field === "event") message.event = value;
    if (field === "data") message.data = JSON.parse(value);
  }
  return message.data === undefined ? undefined : message;
}

/** A reader over a real socket that keeps what it has received. */
async function openStream(id: string, headers: Record<string, string> = {}, query = "") {
  const messages: Message[] = [];
  const request = httpGet(`${origin}/v1/operations/${id}/events${query}`, {
    agent: false,
    headers: { authorization: `Bearer ${adminToken}`, accept: "text/event-stream", ...headers },
  });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  streams.push(response);
  let rest = "";
  response.setEncoding("utf8");
  response.on("data", (chunk: string) => {
    const blocks = (rest + chunk).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const message = parseMessage(block);
      if (message) messages.push(message);
    }
  });
  response.on("error", () => {});
  // From now on, since it may come while a test waits for something else; of a stream that is dropped it never does.
  const ended = once(response, "end");
  ended.catch(() => {});
  const sequences = () => messages.flatMap((message) => (message.id === undefined ? [] : [message.id]));
  return {
    response,
    messages,
    sequences,
    until: (condition: () => boolean) =>
      vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000, interval: 5 }),
    ended: () => ended,
    drop: () => response.destroy(),
  };
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("the stream of events", () => {
  it("replays everything from the start and then ends with the operation, when that is over", async () => {
    const operation = await running();
    await operation.append(1_203);
    await operation.end("failed");
    const stream = await openStream(operation.id);
    await stream.ended();
    expect(stream.response.statusCode).toBe(200);
    expect(stream.response.headers["content-type"]).toMatch(/^text\/event-stream/);
    expect(stream.sequences()).toEqual(numbers(1, 1_203));
    expect(stream.messages.at(-1)).toMatchObject({
      event: "end",
      data: { id: operation.id, state: "failed", finishedAt: expect.any(String) },
    });
    expect(stream.messages[0]).toEqual({
      id: 1,
      event: "diagnostic",
      data: {
        sequence: 1,
        at: expect.any(String),
        type: "diagnostic",
        body: { severity: "warning", message: 'line 1\nline 2 of 1: "quoted" ünï' },
      },
    });
  });

  it("sends events as they are stored, while the operation runs", async () => {
    const operation = await running();
    const stream = await openStream(operation.id);
    for (const [count, total] of [
      [1, 1],
      [2, 3],
      [5, 8],
    ] as const) {
      await operation.append(count);
      await stream.until(() => stream.sequences().length === total);
    }
    await operation.end();
    await stream.ended();
    expect(stream.sequences()).toEqual(numbers(1, 8));
    expect(stream.messages.filter((message) => message.event === "end")).toHaveLength(1);
  });

  it("resumes after the last event received, without a gap and without a double, while events go on", async () => {
    const operation = await running();
    const total = 400;
    const written = (async () => {
      for (let batch = 0; batch < total / 4; batch++) await operation.append(4);
      await operation.end();
    })();
    const received: number[] = [];
    let done = false;
    while (!done) {
      const last = received.at(-1);
      const stream = await openStream(
        operation.id,
        last === undefined ? {} : { "last-event-id": String(last) },
      );
      const goal = received.length + 60;
      await stream.until(
        () =>
          received.length + stream.sequences().length >= goal ||
          stream.messages.some((each) => each.event === "end"),
      );
      stream.drop();
      received.push(...stream.sequences());
      done = stream.messages.some((message) => message.event === "end");
    }
    await written;
    expect(received).toEqual(numbers(1, total));
  }, 30_000);

  it("resumes at the end of an ended operation with nothing but its end", async () => {
    const operation = await running();
    await operation.append(5);
    await operation.end();
    const stream = await openStream(operation.id, { "last-event-id": "5" });
    await stream.ended();
    expect(stream.messages.map((message) => message.event)).toEqual(["end"]);
  });

  it("may begin after an event by the query as well; the header counts more", async () => {
    const operation = await running();
    await operation.append(5);
    await operation.end();
    const byQuery = await openStream(operation.id, {}, "?after=3");
    await byQuery.ended();
    expect(byQuery.sequences()).toEqual([4, 5]);
    const byBoth = await openStream(operation.id, { "last-event-id": "4" }, "?after=1");
    await byBoth.ended();
    expect(byBoth.sequences()).toEqual([5]);
  });

  it("serves many readers, each from where it stands", async () => {
    const operation = await running();
    await operation.append(10);
    const readers = await Promise.all(
      [0, 5, 10].map((after) => openStream(operation.id, { "last-event-id": String(after) })),
    );
    await operation.append(5);
    await operation.end();
    await Promise.all(readers.map((reader) => reader.ended()));
    expect(readers.map((reader) => reader.sequences())).toEqual([
      numbers(1, 15),
      numbers(6, 15),
      numbers(11, 15),
    ]);
  });

  it("ends when a queued operation is cancelled", async () => {
    const { stream, id } = await streamOfQueued();
    await requestCancel(api.database.pool, id);
    await stream.ended();
    expect(stream.messages.at(-1)).toMatchObject({ event: "end", data: { state: "cancelled" } });
  });

  it("ends when a newer update takes the operation's place", async () => {
    const { stream, url } = await streamOfQueued();
    await api.send("PATCH", url, { body: { budget: { monthlyUsd: 99 } } });
    await stream.until(() => stream.messages.length > 0);
    expect(stream.messages.at(-1)).toMatchObject({ event: "end", data: { state: "superseded" } });
  }, 15_000);

  it("lets go of everything when its reader leaves", async () => {
    const operation = await running();
    const stream = await openStream(operation.id);
    await operation.append(1);
    await stream.until(() => stream.sequences().length === 1);
    stream.drop();
    await vi.waitFor(async () => {
      const connections = await new Promise((resolve) =>
        api.app.server.getConnections((_, count) => resolve(count)),
      );
      expect(connections).toBe(0);
    });
    await operation.append(1);
    await operation.end();
    expect(api.logged.filter((line) => line.msg === "event stream failed")).toEqual([]);
  });

  async function streamOfQueued() {
    const team = await api.teamWithAccount();
    const url = `/v1/teams/${team}/pipelines/${uniqueName("churn")}`;
    const { body } = await api.send("PUT", url, { body: validSpec() });
    return { url, id: body.id as string, stream: await openStream(body.id) };
  }
});

describe("pages of events", () => {
  it("show each event once, with the place to go on from", async () => {
    const operation = await running();
    await operation.append(5);
    const page = async (query: string) =>
      (await api.send("GET", `/v1/operations/${operation.id}/events${query}`)).body;
    const first = await page("?limit=3");
    expect(first.items.map((event: Document) => event.sequence)).toEqual([1, 2, 3]);
    expect(first.next).toBe(3);
    const second = await page(`?limit=3&after=${first.next}`);
    expect(second.items.map((event: Document) => event.sequence)).toEqual([4, 5]);
    expect(await page(`?limit=3&after=${second.next}`)).toEqual({ items: [], next: 5 });
  });
});

describe("Prefer: wait", () => {
  const wait = (id: string, prefer: string) =>
    api.send("GET", `/v1/operations/${id}`, { headers: { prefer } });

  it("answers when the operation has ended, not before", async () => {
    const operation = await running();
    let answered = false;
    const waiting = wait(operation.id, "wait=30").then((answer) => {
      answered = true;
      return answer;
    });
    const stream = await openStream(operation.id);
    await operation.append(3);
    // The notification of the events has woken all who follow the operation.
    await stream.until(() => stream.sequences().length === 3);
    expect(answered).toBe(false);
    await operation.end();
    expect(await waiting).toMatchObject({ status: 200, body: { state: "succeeded" } });
  });

  it("answers at once when it has ended already, or when nobody asked to wait", async () => {
    const operation = await running();
    expect((await api.send("GET", `/v1/operations/${operation.id}`)).body.state).toBe("running");
    expect((await wait(operation.id, "wait=0")).body.state).toBe("running");
    expect((await wait(operation.id, "respond-async")).body.state).toBe("running");
    await operation.end();
    expect((await wait(operation.id, "respond-async, wait=60")).body.state).toBe("succeeded");
  });

  it("answers with the state as it is when the time is over", async () => {
    const operation = await running();
    expect((await wait(operation.id, "wait=1")).body.state).toBe("running");
  });

  it("hears of an operation whose place a newer one took", async () => {
    const team = await api.teamWithAccount();
    const url = `/v1/teams/${team}/pipelines/churn`;
    const { body } = await api.send("PUT", url, { body: validSpec() });
    const waiting = wait(body.id, "wait=4");
    const began = await api.send("PATCH", url, { body: { budget: { monthlyUsd: 99 } } });
    const first = await Promise.race([waiting, wait(began.body.id, "wait=3").then(() => undefined)]);
    expect(first?.body.state).toBe("superseded");
  }, 15_000);

  it("answers 404 at once for what doesn't exist", async () => {
    expect((await wait(randomUUID(), "wait=30")).status).toBe(404);
  });
});

describe("a connection that is kept alive", () => {
  it("can ask for an operation again and again without piling anything up", async () => {
    const operation = await running();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    agents.push(agent);
    const warnings: string[] = [];
    const onWarning = (warning: Error) => warnings.push(warning.message);
    process.on("warning", onWarning);
    const ports = new Set<number | undefined>();
    try {
      for (let round = 0; round < 30; round++) {
        const request = httpGet(`${origin}/v1/operations/${operation.id}`, {
          agent,
          headers: { authorization: `Bearer ${adminToken}` },
        });
        const [response] = (await once(request, "response")) as [IncomingMessage];
        ports.add(response.socket.localPort);
        response.resume();
        await once(response, "end");
      }
      await nextTurn();
    } finally {
      process.off("warning", onWarning);
    }
    expect(ports.size).toBe(1);
    expect(warnings).toEqual([]);
  });
});

describe("a shutdown", () => {
  it("ends streams and waiting requests, and leaves no connection open", async () => {
    const other = await startApi();
    const otherOrigin = await other.app.listen({ host: "127.0.0.1", port: 0 });
    const stackId = await ensureStack(other.database.pool, "aidlc-foundation", "s");
    const { id } = await queuedOperation(other.database.pool, { stackId });
    const headers = { authorization: `Bearer ${adminToken}` };
    const open = async (path: string, extra: object) => {
      const request = httpGet(`${otherOrigin}${path}`, { agent: false, headers: { ...headers, ...extra } });
      const [response] = (await once(request, "response")) as [IncomingMessage];
      response.resume();
      return once(response, "end");
    };
    const stream = open(`/v1/operations/${id}/events`, { accept: "text/event-stream" });
    const waiting = open(`/v1/operations/${id}`, { prefer: "wait=60" });
    await vi.waitFor(async () => {
      const connections = await new Promise((resolve) =>
        other.app.server.getConnections((_, count) => resolve(count)),
      );
      expect(connections).toBe(2);
    });
    // Closing waits for every connection: were one left open, this would not come to an end.
    await other.close();
    await stream;
    await waiting;
  }, 20_000);
});
