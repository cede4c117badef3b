import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { Document } from "../../support/builders.ts";

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: Document;
}

/** A receiver of webhooks on this machine: it keeps what it gets, and answers what it is told to. */
export class Receiver {
  readonly received: Received[] = [];
  /** What it answers, with a location for redirects. */
  answer: (request: Received) => number | Promise<number> = () => 204;
  location: string | undefined;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      const received = { path: request.url ?? "", headers: request.headers, text, body: JSON.parse(text) };
      this.received.push(received);
      response.statusCode = await this.answer(received);
      if (this.location !== undefined) response.setHeader("location", this.location);
      response.end();
    });
  }

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await once(receiver.#server.listen(0, "127.0.0.1"), "listening");
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Types of what came, in the order in which it came; only at this path, where one is given. */
  types(path?: string): string[] {
    return this.received
      .filter((one) => path === undefined || one.path === path)
      .map(({ body }) => body.type);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
