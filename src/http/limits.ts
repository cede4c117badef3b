/** What callers may ask of one node. */
export interface RequestLimits {
  /** Requests of one identity. */
  readonly requestsPerMinute: number;
  /** Requests of one address that don't tell who sends them, or not truly. */
  readonly failuresPerMinute: number;
  /** Event streams and waiting requests of one identity at the same time. */
  readonly streams: number;
  readonly connections: number;
  /** For the headers of a request to arrive. */
  readonly headersMs: number;
  /** For all of a request to arrive. */
  readonly requestMs: number;
  /** A connection on which nothing moves any more; longer than `Prefer: wait` lasts, and than the comments in event streams. */
  readonly silenceMs: number;
  /** Mean delay of the event loop over some seconds: one long pause, such as at the start, is no overload. */
  readonly eventLoopDelayMs: number;
  /** Share of the memory that Node may use. */
  readonly heapFraction: number;
  /** Statements that wait for a connection to the database. */
  readonly waitingForDatabase: number;
}

/** The limits of a node whose identities may send so many requests a minute. */
export function limitsFor(requestsPerMinute: number): RequestLimits {
  return {
    requestsPerMinute,
    failuresPerMinute: Math.max(10, Math.floor(requestsPerMinute / 10)),
    streams: 32,
    connections: 2_000,
    headersMs: 10_000,
    requestMs: 30_000,
    silenceMs: 120_000,
    eventLoopDelayMs: 1_000,
    heapFraction: 0.9,
    waitingForDatabase: 200,
  };
}
