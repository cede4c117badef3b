import { hkdfSync } from "node:crypto";
import { Webhook } from "standardwebhooks";

/** Which of the secrets that a webhook had and has. */
export interface SecretOf {
  readonly id: string;
  /** 1 is the first. */
  readonly number: number;
}

export interface Message {
  readonly id: string;
  readonly sentAt: Date;
  readonly body: string;
}

/**
 * The secrets of webhooks, derived from the service's passphrase (HKDF-SHA-256, RFC 5869): whoever reads the database, or a copy of it,
 * has none of them.
 */
export class WebhookSecrets {
  readonly #master: string;

  constructor(master: string) {
    this.#master = master;
  }

  /** As its owner gets it: `whsec_` and 32 bytes in Base64. */
  of({ id, number }: SecretOf): string {
    const key = hkdfSync("sha256", this.#master, "", `webhook/${id}/${number}`, 32);
    return `whsec_${Buffer.from(key).toString("base64")}`;
  }

  /** The headers of a message, with a signature by each secret (https://www.standardwebhooks.com). */
  headersFor({ id, sentAt, body }: Message, secrets: readonly SecretOf[]): Record<string, string> {
    const signatures = secrets.map((secret) => new Webhook(this.of(secret)).sign(id, sentAt, body));
    return {
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1_000)),
      "webhook-signature": signatures.join(" "),
    };
  }
}
