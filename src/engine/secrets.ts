import { passwordsIn } from "../redaction.ts";
import type { RunRequest } from "./protocol.ts";

/** Everything of a request that must never be told, wherever an engine's text repeats it. */
export function secretsOf({ passphrase, credentials, backendUrl, program }: RunRequest): string[] {
  const { provider, state } = credentials;
  return [
    passphrase,
    ...(provider ? [provider.token] : []),
    ...(state ? [state.token] : []),
    ...passwordsIn(backendUrl),
    // Whoever knows such an address can write there.
    ...(program.name === "pipeline" ? program.input.spec.alerts.webhooks : []),
  ];
}
