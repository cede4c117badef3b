import type { Logger } from "pino";
import type { Deadline } from "../engine/protocol.ts";
import type { Runner } from "../engine/supervisor.ts";
import type { Interruption } from "../recovery/verdict.ts";
import type { Claim } from "./claims.ts";

/** An operation while this node runs it: its lease, and who wants it to stop. */
export class RunningOperation {
  readonly claim: Claim;
  readonly log: Logger;
  runner: Runner | undefined;
  readonly #cancel = new AbortController();
  readonly #stop = new AbortController();
  #leaseUntil: Deadline;

  constructor(claim: Claim, log: Logger, leaseUntil: Deadline) {
    this.claim = claim;
    this.log = log;
    this.#leaseUntil = leaseUntil;
  }

  get leaseUntil(): Deadline {
    return this.#leaseUntil;
  }

  confirmLease(until: Deadline): void {
    this.#leaseUntil = until;
    this.runner?.confirmLease(until);
  }

  interrupt(why: Exclude<Interruption, undefined>): void {
    (why === "cancel" ? this.#cancel : this.#stop).abort();
  }

  get interruption(): Interruption {
    return this.#cancel.signal.aborted ? "cancel" : this.#stop.signal.aborted ? "stop" : undefined;
  }

  /** Aborted by a person's wish, or by the service's own. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.#cancel.signal, this.#stop.signal]);
  }

  get stopSignal(): AbortSignal {
    return this.#stop.signal;
  }
}
