import autocannon from "autocannon";
import { percentile } from "../figures.ts";

/** One of the connections that are open at the same time: what it asks for, again and again, and as whom. */
export interface Reader {
  readonly token: string;
  readonly paths: readonly string[];
}

export interface Load {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Has each reader send its next request as soon as the last was answered; throws unless every answer is a good one. */
export async function underLoad(url: string, readers: readonly Reader[], seconds: number): Promise<Load> {
  const waiting = [...readers];
  const durationsMs: number[] = [];
  const run = autocannon({
    url,
    connections: readers.length,
    duration: seconds,
    setupClient: (client) => {
      const { token, paths } = waiting.pop() as Reader;
      client.setHeaders({ authorization: `Bearer ${token}` });
      client.setRequests(paths.map((path) => ({ path })));
    },
  });
  run.on("response", (_client: unknown, _status: number, _bytes: number, ms: number) => durationsMs.push(ms));
  const { errors, timeouts, non2xx, duration } = await run;
  const bad = errors + timeouts + non2xx;
  if (bad > 0)
    throw new Error(
      `${bad} of ${durationsMs.length + errors} requests to ${url} were not answered as they should be`,
    );
  return {
    requestsPerSecond: Math.round(durationsMs.length / duration),
    p50Ms: percentile(durationsMs, 50),
    p99Ms: percentile(durationsMs, 99),
  };
}
