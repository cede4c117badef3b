import type pg from "pg";
import type { Logger } from "pino";
import { type AuditTrail, serviceContext } from "../audit/trail.ts";
import { type GuardedClient, OutgoingError } from "../outgoing/guarded-client.ts";
import { isToldAsOutage } from "../postgres/outage.ts";
import { inTransaction } from "../postgres/pool.ts";
import { redactText, redactValue } from "../redaction.ts";
import { version } from "../version.ts";
import { type Attempt, recordFailure, recordSuccess, takeAttempt } from "./attempts.ts";
import { backoffMs } from "./backoff.ts";
import { auditedWebhook } from "./schema.ts";
import type { WebhookSecrets } from "./secrets.ts";
import { disableWebhook } from "./store.ts";

export interface DelivererOptions {
  readonly pool: pg.Pool;
  readonly audit: AuditTrail;
  readonly client: GuardedClient;
  readonly secrets: WebhookSecrets;
  readonly log: Logger;
}

const pollMs = 1_000;
const attemptsAtOnce = 16;
// Longer than the client tries: when it is over, whoever held it has died.
const leaseMs = 60_000;
const goneStatus = 410;

/**
 * Sends what waits in the outbox, on every node: whichever takes a delivery holds it until the receiver took it, or the attempt failed. What
 * a node that died was sending is sent again, under the same id.
 */
export class WebhookDeliverer {
  readonly #options: DelivererOptions;
  readonly #sending = new Set<Promise<void>>();
  #filling: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: DelivererOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#fill(), pollMs);
  }

  /** Sends whatever is due, and resolves when nothing is any more. */
  async settle(): Promise<void> {
    for (;;) {
      await this.#fill();
      if (this.#sending.size === 0) return;
      await Promise.race(this.#sending);
    }
  }

  /** Begins nothing new and waits for what is being sent, which takes seconds. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#filling;
    await Promise.all(this.#sending);
  }

  #fill(): Promise<void> {
    this.#filling ??= this.#take()
      .catch((error: unknown) => {
        if (isToldAsOutage(this.#options.pool, error)) return;
        this.#options.log.warn({ err: error }, "webhooks could not be looked for");
      })
      .finally(() => {
        this.#filling = undefined;
      });
    return this.#filling;
  }

  async #take(): Promise<void> {
    while (!this.#closed && this.#sending.size < attemptsAtOnce) {
      const attempt = await takeAttempt(this.#options.pool, leaseMs);
      if (attempt === undefined) return;
      const sending = this.#send(attempt)
        .catch((error: unknown) =>
          // Its lease lapses, and it is sent again.
          this.#options.log.error(
            { err: error, delivery: attempt.deliveryId },
            "a delivery could not be recorded",
          ),
        )
        .finally(() => {
          this.#sending.delete(sending);
          // What waited for this one is due now.
          if (!this.#closed) void this.#fill();
        });
      this.#sending.add(sending);
    }
  }

  async #send(attempt: Attempt): Promise<void> {
    const { pool, client, log } = this.#options;
    const { deliveryId, webhookId, attempts } = attempt;
    try {
      const status = await client.post(attempt.url, this.#messageOf(attempt));
      if (status >= 200 && status < 300) return await recordSuccess(pool, attempt, status);
      await this.#failed(attempt, { status, error: `The receiver answered ${status}` });
    } catch (error) {
      if (!(error instanceof OutgoingError)) throw error;
      await this.#failed(attempt, { status: null, error: redactText(error.message) });
    }
    log.info(
      { webhook: webhookId, delivery: deliveryId, attempts },
      "a webhook's receiver did not take a delivery",
    );
  }

  #messageOf({ webhookId, eventId, type, at, data, secretNumber, previousSecretIsValid }: Attempt) {
    const body = JSON.stringify({ type, timestamp: at.toISOString(), data: redactValue(data, redactText) });
    const numbers = previousSecretIsValid ? [secretNumber, secretNumber - 1] : [secretNumber];
    const signed = this.#options.secrets.headersFor(
      { id: eventId, sentAt: new Date(), body },
      numbers.map((number) => ({ id: webhookId, number })),
    );
    const headers = {
      "content-type": "application/json",
      "user-agent": `aidlc-webhooks/${version}`,
      ...signed,
    };
    return { headers, body };
  }

  async #failed(
    attempt: Attempt,
    { status, error }: { readonly status: number | null; readonly error: string },
  ): Promise<void> {
    const { pool } = this.#options;
    const isGone = status === goneStatus;
    const { givenUp, nothingTaken } = await recordFailure(pool, attempt, {
      status,
      error,
      retryInMs: backoffMs(attempt.attempts, Math.random()),
      final: isGone,
    });
    if (isGone) await this.#disable(attempt, "The receiver answered 410: it wants nothing any more");
    else if (givenUp && nothingTaken) await this.#disable(attempt, "It took nothing for three days");
  }

  async #disable({ webhookId, deliveryId }: Attempt, reason: string): Promise<void> {
    const { pool, audit, log } = this.#options;
    await inTransaction(pool, async (client) => {
      const disabled = await disableWebhook(client, webhookId, reason);
      if (disabled === undefined) return;
      await audit.change(client, serviceContext(deliveryId), {
        action: "webhook.disable",
        team: disabled.team,
        target: `/teams/${disabled.team}/webhooks/${webhookId}`,
        after: auditedWebhook(disabled),
      });
      log.warn({ webhook: webhookId, team: disabled.team, reason }, "a webhook was disabled");
    });
  }
}
