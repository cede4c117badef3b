export interface ServerSentEvent {
  readonly id?: string;
  readonly event: string;
  readonly data: string;
}

/** The messages of an event stream, as they arrive; comments and messages without data are left out. */
export async function* serverSentEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    const messages = text.split("\n\n");
    // What follows the last blank line is still on its way.
    text = messages.pop() ?? "";
    for (const message of messages) {
      const parsed = parseMessage(message);
      if (parsed) yield parsed;
    }
  }
}

function parseMessage(message: string): ServerSentEvent | undefined {
  const data: string[] = [];
  const fields = new Map<string, string>();
  for (const line of message.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const value = line.slice(colon + 1).replace(/^ /, "");
    if (line.startsWith("data:")) data.push(value);
    else fields.set(line.slice(0, colon), value);
  }
  if (data.length === 0) return undefined;
  const id = fields.get("id");
  return {
    event: fields.get("event") ?? "message",
    data: data.join("\n"),
    ...(id === undefined ? {} : { id }),
  };
}
