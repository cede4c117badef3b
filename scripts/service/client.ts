import { setTimeout as sleep } from "node:timers/promises";
import type { Static } from "typebox";
import type { Problem } from "../../src/http/problem.ts";
import type { EventView, OperationView, StepView } from "../../src/operations/schema.ts";
import { serverSentEvents } from "./server-sent-events.ts";

export type Operation = Static<typeof OperationView>;
export type OperationEvent = Static<typeof EventView>;
export type Step = Static<typeof StepView>;

/** The service refused a request: carries its problem document. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly problem: Static<typeof Problem>;

  constructor(request: string, problem: Static<typeof Problem>) {
    const places = (problem.errors ?? []).map(({ path, message }) => `\n  ${path || "/"} ${message}`);
    super(
      `${request} was answered with ${problem.status} ${problem.code}: ${problem.detail}${places.join("")}`,
    );
    this.problem = problem;
  }
}

/** An operation came to another end than success. */
export class OperationFailed extends Error {
  override readonly name = "OperationFailed";

  constructor({ id, kind, state, error }: Operation) {
    const where = error?.resource ? `\n  at ${error.resource.type} ${error.resource.name}` : "";
    const others = (error?.others ?? []).map((other) => `\n  also: ${other}`).join("");
    const why = error
      ? `${error.code}: ${error.message}${where}${others}\n  remedy: ${error.remedy}`
      : "no reason given";
    super(`The ${kind} ended as "${state}" (operation ${id})\n  ${why}`);
  }
}

export interface Body {
  readonly type: "application/json" | "application/yaml" | "application/merge-patch+json" | "text/csv";
  readonly content: string;
}

export function json(value: unknown): Body {
  return { type: "application/json", content: JSON.stringify(value) };
}

/** The keys of somebody who asks for changes of a team's pipelines, and of somebody who approves of them. */
interface Pair {
  readonly asks: string;
  readonly approves: string;
}

// A stream of this service never ends by itself before its `end` message: what breaks it is over in moments.
const reconnects = 5;
const reconnectMs = 200;

/** The service's REST interface, as any client of it would use it. */
export class Client {
  readonly #url: string;
  readonly #token: string;
  readonly #signal: AbortSignal;
  readonly #onCall: (call: string) => void;
  /** Keys of the two who change a team's pipelines, by the team. */
  readonly #pairs = new Map<string, Promise<Pair>>();
  #running: Operation | undefined;

  constructor(options: {
    readonly url: string;
    readonly token: string;
    /** Ends every request and stream. */
    readonly signal: AbortSignal;
    /** Told of every request that changes something, such as `POST /v1/teams`. */
    readonly onCall: (call: string) => void;
  }) {
    this.#url = options.url;
    this.#token = options.token;
    this.#signal = options.signal;
    this.#onCall = options.onCall;
  }

  get<Answer>(path: string): Promise<Answer> {
    return this.#request("GET", path);
  }

  /** For POST, PUT, PATCH and DELETE. */
  send<Answer>(method: string, path: string, body?: Body): Promise<Answer> {
    this.#onCall(`${method} ${path}`);
    return this.#request(method, path, body);
  }

  /** Every item of a paged list. */
  async all<Item>(path: string): Promise<Item[]> {
    const items: Item[] = [];
    for (let cursor: string | undefined; ; ) {
      const query = new URLSearchParams({ limit: "200", ...(cursor === undefined ? {} : { cursor }) });
      const page = await this.get<{ items: Item[]; nextCursor?: string }>(
        `${path}${path.includes("?") ? "&" : "?"}${query}`,
      );
      items.push(...page.items);
      if (page.nextCursor === undefined) return items;
      cursor = page.nextCursor;
    }
  }

  /** The HTTP status of a GET that is expected to be refused. */
  async statusOf(path: string): Promise<number> {
    const response = await this.#fetch("GET", path, this.#signal);
    await response.body?.cancel();
    return response.status;
  }

  /**
   * Starts an operation, hands its events on as they happen, and returns its end; throws `OperationFailed`. What is asked of a pipeline is
   * asked by one and, where it needs that, approved by another: an administrator can't do both.
   */
  async run(
    method: string,
    path: string,
    body: Body | undefined,
    onEvent: (event: OperationEvent) => void,
  ): Promise<Operation> {
    const team = /^\/v1\/teams\/([^/]+)\/pipelines\b/.exec(path)?.[1];
    const pair = team === undefined ? undefined : await this.#pairOf(team);
    this.#onCall(`${method} ${path}`);
    const operation = await this.#request<Operation>(method, path, body, pair?.asks);
    this.#running = operation;
    const ended = await this.#follow(operation.id, async (event) => {
      onEvent(event);
      if (pair !== undefined && event.type === "approval" && event.body.status === "requested")
        await this.#approve(operation, event, pair.approves);
    });
    this.#running = undefined;
    if (ended.state !== "succeeded") throw new OperationFailed(ended);
    return ended;
  }

  /** Asks for the end of the operation that `run` was following; whether it can still be had doesn't matter. */
  async cancelRunning(): Promise<void> {
    if (this.#running === undefined) return;
    const path = `/v1/operations/${this.#running.id}/cancel`;
    await this.#fetch("POST", path, AbortSignal.timeout(2_000)).catch(() => {});
  }

  #pairOf(team: string): Promise<Pair> {
    const known = this.#pairs.get(team);
    if (known !== undefined) return known;
    const keyOf = async (name: string, role: string) =>
      (await this.#request<{ key: string }>("POST", `/v1/teams/${team}/keys`, json({ name, roles: [role] })))
        .key;
    const made = Promise.all([
      keyOf("asks for changes", "maintainer"),
      keyOf("approves of changes", "approver"),
    ]);
    const pair = made.then(([asks, approves]) => ({ asks, approves }));
    this.#pairs.set(team, pair);
    return pair;
  }

  async #approve({ id }: Operation, { body: { digest } }: OperationEvent, token: string): Promise<void> {
    const path = `/v1/operations/${id}/approve`;
    this.#onCall(`POST ${path}`);
    await this.#request("POST", path, json({ digest }), token);
  }

  async #follow(id: string, onEvent: (event: OperationEvent) => Promise<void>): Promise<Operation> {
    let last = "0";
    for (let attempt = 0; attempt < reconnects; attempt++) {
      if (attempt > 0) await sleep(reconnectMs, undefined, { signal: this.#signal });
      const response = await this.#fetch("GET", `/v1/operations/${id}/events`, this.#signal, undefined, {
        accept: "text/event-stream",
        "last-event-id": last,
      });
      if (!response.ok || response.body === null) throw await refusal(`GET events of ${id}`, response);
      for await (const message of serverSentEvents(response.body)) {
        if (message.event === "end") return JSON.parse(message.data) as Operation;
        await onEvent(JSON.parse(message.data) as OperationEvent);
        last = message.id ?? last;
      }
    }
    throw new Error(`The events of operation ${id} broke off ${reconnects} times`);
  }

  async #request<Answer>(method: string, path: string, body?: Body, token?: string): Promise<Answer> {
    const response = await this.#fetch(method, path, this.#signal, body, {}, token);
    if (!response.ok) throw await refusal(`${method} ${path}`, response);
    const text = await response.text();
    return (text === "" ? undefined : JSON.parse(text)) as Answer;
  }

  #fetch(
    method: string,
    path: string,
    signal: AbortSignal,
    body?: Body,
    headers: Readonly<Record<string, string>> = {},
    token = this.#token,
  ): Promise<Response> {
    return fetch(`${this.#url}${path}`, {
      method,
      signal,
      headers: {
        authorization: `Bearer ${token}`,
        ...headers,
        ...(body === undefined ? {} : { "content-type": body.type }),
      },
      ...(body === undefined ? {} : { body: body.content }),
    });
  }
}

async function refusal(request: string, response: Response): Promise<Error> {
  const text = await response.text();
  if (response.headers.get("content-type")?.startsWith("application/problem+json")) {
    return new ProblemError(request, JSON.parse(text));
  }
  return new Error(`${request} was answered with ${response.status}: ${text.slice(0, 500)}`);
}
