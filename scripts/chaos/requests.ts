import { setTimeout as sleep } from "node:timers/promises";
import type { Body } from "../service/client.ts";

export interface Answer {
  readonly status: number;
  /** Parsed where it is JSON. */
  readonly body: unknown;
}

const pauseMs = 200;

/** Requests of somebody patient: what can't be answered now is asked again, until the signal aborts. */
export class Requests {
  readonly #url: () => string;
  readonly #signal: AbortSignal;
  #token: string;

  constructor(url: () => string, signal: AbortSignal, token = "") {
    this.#url = url;
    this.#signal = signal;
    this.#token = token;
  }

  /** The same from somebody else. */
  as(token: string): Requests {
    return new Requests(this.#url, this.#signal, token);
  }

  /** Exchanges the bootstrap token for the first administrator's key, with which everything is asked from then on. */
  async introduce(bootstrapToken: string): Promise<void> {
    this.#token = bootstrapToken;
    const { body } = await this.send("POST", "/v1/bootstrap");
    this.#token = (body as { key: string }).key;
  }

  /** Any answer but that of a node that is down, starting or overloaded. */
  async send(
    method: string,
    path: string,
    body?: Body,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    for (;;) {
      const answer = await this.#try(method, path, body, headers);
      if (answer !== undefined) return answer;
      await sleep(pauseMs, undefined, { signal: this.#signal });
    }
  }

  /** As `send`; throws for any answer that isn't a success. */
  async demand<Result>(method: string, path: string, body?: Body): Promise<Result> {
    const answer = await this.send(method, path, body);
    if (answer.status < 400) return answer.body as Result;
    throw new Error(`${method} ${path} was answered with ${answer.status}: ${JSON.stringify(answer.body)}`);
  }

  async #try(
    method: string,
    path: string,
    body: Body | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<Answer | undefined> {
    try {
      const response = await fetch(`${this.#url()}${path}`, {
        method,
        headers: {
          ...headers,
          authorization: `Bearer ${this.#token}`,
          ...(body && { "content-type": body.type }),
        },
        ...(body && { body: body.content }),
        signal: this.#signal,
      });
      const text = await response.text();
      if (response.status === 503 || response.status === 429) return undefined;
      const isJson = response.headers.get("content-type")?.includes("json");
      return { status: response.status, body: isJson ? JSON.parse(text) : text };
    } catch (error) {
      this.#signal.throwIfAborted();
      // The node was killed before, or while, it answered.
      if (error instanceof TypeError) return undefined;
      throw error;
    }
  }
}
