import { type DestinationStream, type Logger, pino } from "pino";
import { redactor } from "./redaction.ts";

/**
 * The service's log, of JSON lines. Fields that hold credentials are left out by name, and every line is masked once more as it is
 * written, whatever it came from: `secrets` by value, others by form.
 */
export function openLog(
  { level, secrets }: { readonly level: string; readonly secrets: readonly string[] },
  destination?: DestinationStream,
): Logger {
  const redact = redactor(secrets);
  return pino(
    {
      level,
      redact: [
        "req.headers.authorization",
        "*.password",
        "*.passphrase",
        "*.secretAccessKey",
        "*.sessionToken",
      ],
      // Messages and stacks of errors come from databases, engines and AWS: no list of fields covers them.
      hooks: { streamWrite: redact },
    },
    destination ?? pino.destination(1),
  );
}
