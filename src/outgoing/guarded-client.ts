import { type LookupAddress, lookup } from "node:dns";
import { isIP, type Socket } from "node:net";
import ipaddr from "ipaddr.js";
import { Agent, buildConnector, request } from "undici";
import { isPublicAddress, publicUrlProblem } from "../../programs/spec/public-url.ts";

/** Why nothing was sent, or no answer came; a message that tells nothing of the network the service is in. */
export class OutgoingError extends Error {
  override readonly name = "OutgoingError";
}

type Addresses = readonly Pick<LookupAddress, "address" | "family">[];
type Resolve = (host: string, done: (error: Error | null, addresses: Addresses) => void) => void;

export interface GuardOptions {
  /** Also http://, and addresses of this machine: for tests and development. */
  readonly allowLocal: boolean;
  /** All addresses of a name; by default what the system says. */
  readonly resolve?: Resolve;
  /** From the look-up to the last byte of the answer. */
  readonly timeoutMs?: number;
}

const systemResolve: Resolve = (host, done) => lookup(host, { all: true, verbatim: true }, done);
const defaultTimeoutMs = 15_000;
const connectTimeoutMs = 5_000;
// Answers are not read, but a connection whose answer was left out can't be used again.
const longestAnswerBytes = 64 * 1024;

/**
 * A client for addresses that others chose. It connects to public addresses only, and to the very address that it looked up and
 * checked, so that a name can't stand for another one a moment later; it follows no redirect and gives up in time.
 */
export class GuardedClient {
  readonly #allowLocal: boolean;
  readonly #timeoutMs: number;
  readonly #agent: Agent;

  constructor({ allowLocal, resolve = systemResolve, timeoutMs = defaultTimeoutMs }: GuardOptions) {
    this.#allowLocal = allowLocal;
    this.#timeoutMs = timeoutMs;
    this.#agent = new Agent({
      connect: guardedConnector(allowLocal, resolve),
      keepAliveTimeout: 10_000,
      pipelining: 1,
    });
  }

  /** Why an address can't be used, as far as it shows by itself, or undefined. */
  problemOf(url: string): string | undefined {
    return this.#allowLocal && isLocalUrl(url) ? undefined : publicUrlProblem(url);
  }

  /** Sends a body by POST and resolves with the status of the answer, whatever it is; throws `OutgoingError`. */
  async post(
    url: string,
    { headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
  ): Promise<number> {
    const problem = this.problemOf(url);
    if (problem !== undefined) throw new OutgoingError(`The address ${problem}`);
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      const answer = await request(url, { method: "POST", headers, body, dispatcher: this.#agent, signal });
      await answer.body.dump({ limit: longestAnswerBytes, signal }).catch(() => {});
      return answer.statusCode;
    } catch (cause) {
      throw new OutgoingError(reasonOf(cause, this.#timeoutMs), { cause });
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

function isLocalUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === "" && password === "";
}

function guardedConnector(allowLocal: boolean, resolve: Resolve): buildConnector.connector {
  const isAllowed = (address: string) => isPublicAddress(address) || (allowLocal && isLoopback(address));
  const connect = buildConnector({
    timeout: connectTimeoutMs,
    autoSelectFamily: true,
    lookup: (host, options, done) => {
      resolve(host, (error, addresses) => {
        const [first] = addresses ?? [];
        if (error || first === undefined) return done(error ?? new Error(`${host} has no address`), "", 0);
        // One that isn't public among others would be enough: whoever wrote it there means it to be taken.
        if (!addresses.every(({ address }) => isAllowed(address))) return done(refusal(host), "", 0);
        if (options.all) return done(null, [...addresses]);
        return done(null, first.address, first.family);
      });
    },
  });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[(.*)\]$/, "$1");
    // Nothing is looked up for an address.
    if (isIP(host) !== 0 && !isAllowed(host)) return callback(refusal(host), null);
    connect(options, (...result: Parameters<buildConnector.Callback>) => {
      const [error, socket] = result;
      if (error !== null) return callback(error, null);
      if (isAllowed((socket as Socket).remoteAddress ?? "")) return callback(null, socket);
      (socket as Socket).destroy();
      return callback(refusal(host), null);
    });
  };
}

function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "loopback";
}

function refusal(host: string): OutgoingError {
  return new OutgoingError(`"${host}" does not stand for an address of the public internet`);
}

const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: "The host's name is not known",
  EAI_AGAIN: "The host's name could not be looked up",
  ECONNREFUSED: "The host refused the connection",
  ECONNRESET: "The connection was reset",
  UND_ERR_SOCKET: "The connection was closed before the answer",
  UND_ERR_CONNECT_TIMEOUT: "The host did not take the connection in time",
};

function reasonOf(cause: unknown, timeoutMs: number): string {
  if (cause instanceof OutgoingError) return cause.message;
  const { name, code = "" } = cause as { readonly name?: string; readonly code?: string };
  if (name === "TimeoutError") return `There was no answer within ${timeoutMs / 1_000} s`;
  if (/CERT|TLS|SSL|ALTNAME|SELF_SIGNED|VERIFY/.test(code))
    return `The host's certificate was refused (${code})`;
  return reasons[code] ?? "The host could not be reached";
}
