import { setTimeout as sleep } from "node:timers/promises";
import type { Static } from "typebox";
import type { Problem } from "../http/problem.ts";

/** The request was not answered as it should: tells why, and what to do. */
export class RequestFailed extends Error {
  override readonly name = "RequestFailed";
  /** The service's stable code, where it answered with one. */
  readonly code: string | undefined;

  constructor(
    message: string,
    { code, cause }: { readonly code?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** The service's REST interface. */
export class Client {
  readonly #url: string;
  readonly #token: string;

  constructor({ url, token }: { readonly url: string; readonly token: string }) {
    this.#url = url.replace(/\/+$/, "");
    this.#token = token;
  }

  async get<Answer>(
    path: string,
    query: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    return (await (await this.#fetch("GET", path, query, headers)).json()) as Answer;
  }

  /** Asks for something without a body. */
  async post<Answer>(path: string): Promise<Answer> {
    return (await (await this.#fetch("POST", path, {})).json()) as Answer;
  }

  /** The answer's text as it arrives; throws `RequestFailed` when it breaks off. */
  async *stream(path: string, query: Readonly<Record<string, string>>): AsyncGenerator<Uint8Array> {
    const { body } = await this.#fetch("GET", path, query);
    try {
      for await (const chunk of body ?? []) yield chunk;
    } catch (cause) {
      throw new RequestFailed(`The answer of ${this.#url}${path} broke off: repeat it`, { cause });
    }
  }

  async #fetch(
    method: "GET" | "POST",
    path: string,
    query: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const url = `${this.#url}${path}?${new URLSearchParams(query)}`;
    const send = () =>
      fetch(url, { method, headers: { authorization: `Bearer ${this.#token}`, ...headers } }).catch(
        (cause: unknown) => {
          throw new RequestFailed(`The service at ${this.#url} can't be reached: is AIDLC_URL right?`, {
            cause,
          });
        },
      );
    let answer = await send();
    for (let retries = 0; retries < mostRetries; retries += 1) {
      const seconds = secondsToWait(answer);
      if (seconds === undefined) break;
      await answer.body?.cancel();
      await sleep(seconds * 1_000);
      answer = await send();
    }
    if (answer.ok) return answer;
    const text = await answer.text();
    const isProblem = answer.headers.get("content-type")?.startsWith("application/problem+json");
    const problem = isProblem ? (JSON.parse(text) as Static<typeof Problem>) : undefined;
    throw new RequestFailed(
      `${method} ${path} was answered with ${answer.status}: ${problem?.detail ?? text.slice(0, 200)}`,
      { code: problem?.code },
    );
  }
}

const mostRetries = 10;
// Who is told to wait longer has used up a quota, not a minute's requests.
const longestWaitSeconds = 60;

/** How long the service, which did nothing, wants to be left alone; undefined when it doesn't say so. */
function secondsToWait(answer: Response): number | undefined {
  if (answer.status !== 429 && answer.status !== 503) return undefined;
  const seconds = Number(answer.headers.get("retry-after") ?? Number.NaN);
  return seconds >= 0 && seconds <= longestWaitSeconds ? seconds : undefined;
}
