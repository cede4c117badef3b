import type { Static } from "typebox";
import type { Problem } from "../http/problem.ts";

/** The request was not answered as it should: tells why, and what to do. */
export class RequestFailed extends Error {
  override readonly name = "RequestFailed";
}

/** The service's REST interface, for reading. */
export class Client {
  readonly #url: string;
  readonly #token: string;

  constructor({ url, token }: { readonly url: string; readonly token: string }) {
    this.#url = url.replace(/\/+$/, "");
    this.#token = token;
  }

  async get<Answer>(path: string, query: Readonly<Record<string, string>>): Promise<Answer> {
    return (await (await this.#fetch(path, query)).json()) as Answer;
  }

  /** The answer's text as it arrives; throws `RequestFailed` when it breaks off. */
  async *stream(path: string, query: Readonly<Record<string, string>>): AsyncGenerator<Uint8Array> {
    const { body } = await this.#fetch(path, query);
    try {
      for await (const chunk of body ?? []) yield chunk;
    } catch (cause) {
      throw new RequestFailed(`The answer of ${this.#url}${path} broke off: repeat it`, { cause });
    }
  }

  async #fetch(path: string, query: Readonly<Record<string, string>>): Promise<Response> {
    const url = `${this.#url}${path}?${new URLSearchParams(query)}`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${this.#token}` } }).catch(
      (cause: unknown) => {
        throw new RequestFailed(`The service at ${this.#url} can't be reached: is AIDLC_URL right?`, {
          cause,
        });
      },
    );
    if (answer.ok) return answer;
    const text = await answer.text();
    const isProblem = answer.headers.get("content-type")?.startsWith("application/problem+json");
    const reason = isProblem ? (JSON.parse(text) as Static<typeof Problem>).detail : text.slice(0, 200);
    throw new RequestFailed(`GET ${path} was answered with ${answer.status}: ${reason}`);
  }
}
