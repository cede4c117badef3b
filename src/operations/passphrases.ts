import { hkdfSync } from "node:crypto";

export interface StackPassphrases {
  /** The passphrase that encrypts the secrets in one stack's state. */
  of(project: string, stack: string): string;
}

/** Derives a passphrase per stack (HKDF-SHA-256, RFC 5869), so that one stack's passphrase opens no other stack's secrets. */
export function stackPassphrases(master: string): StackPassphrases {
  return {
    of: (project, stack) =>
      Buffer.from(hkdfSync("sha256", master, "", `${project}/${stack}`, 32)).toString("base64url"),
  };
}
