import { describe, expect, it } from "vitest";
import { type ServerSentEvent, serverSentEvents } from "../../../scripts/service/server-sent-events.ts";

async function read(...chunks: readonly Uint8Array[]): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  async function* stream() {
    yield* chunks;
  }
  for await (const event of serverSentEvents(stream())) events.push(event);
  return events;
}

const encode = (text: string) => new TextEncoder().encode(text);

describe("an event stream", () => {
  it("gives each message with its id, kind and data", async () => {
    const text = 'id: 1\nevent: resource\ndata: {"a":1}\n\nevent: end\ndata: {}\n\n';
    expect(await read(encode(text))).toEqual([
      { id: "1", event: "resource", data: '{"a":1}' },
      { event: "end", data: "{}" },
    ]);
  });

  it("is read the same wherever the network cuts it, also inside a character", async () => {
    const bytes = encode("id: 7\nevent: resource\ndata: größer → kleiner\n\n");
    for (let cut = 0; cut <= bytes.length; cut++) {
      const events = await read(bytes.slice(0, cut), bytes.slice(cut));
      expect(events).toEqual([{ id: "7", event: "resource", data: "größer → kleiner" }]);
    }
  });

  it("leaves out comments, bare settings and a message that broke off", async () => {
    expect(await read(encode("retry: 1000\n\n: keep-alive\n\nevent: end\ndata: {"))).toEqual([]);
  });

  it("joins several lines of data", async () => {
    expect(await read(encode("data: a\ndata: b: c\n\n"))).toEqual([{ event: "message", data: "a\nb: c" }]);
  });
});
