// What we use of it; the package has no types of its own. https://github.com/mcollina/autocannon#api
declare module "autocannon" {
  import type { EventEmitter } from "node:events";

  interface Client {
    setRequests(requests: readonly Request[]): void;
    setHeaders(headers: Readonly<Record<string, string>>): void;
  }

  interface Request {
    readonly path: string;
    readonly method?: string;
  }

  interface Options {
    readonly url: string;
    readonly connections: number;
    /** Seconds. */
    readonly duration: number;
    readonly setupClient: (client: Client) => void;
  }

  interface Result {
    /** Seconds. */
    readonly duration: number;
    readonly errors: number;
    readonly timeouts: number;
    readonly "2xx": number;
    readonly non2xx: number;
  }

  interface Instance extends EventEmitter, PromiseLike<Result> {}

  export default function autocannon(options: Options): Instance;
}
