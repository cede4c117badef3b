import { once } from "node:events";
import type { Writable } from "node:stream";
import type { Verification } from "../audit/verify.ts";
import type { Client } from "./client.ts";

/** Follows the chain of the audit trail and tells what was found; false when it is broken. */
export async function verifyAudit(
  client: Client,
  out: Writable,
  { head, json }: { readonly head: string | undefined; readonly json: boolean },
): Promise<boolean> {
  const [sequence = "", hash = ""] = head?.split(":") ?? [];
  const found = await client.get<Verification>(
    "/v1/audit/verification",
    head === undefined ? {} : { sequence, hash },
  );
  out.write(`${json ? JSON.stringify(found) : inWords(found)}\n`);
  return found.ok;
}

function inWords({ entries, head, broken }: Verification): string {
  const noted = `head ${head.sequence}:${head.hash}`;
  if (broken === undefined)
    return `The audit trail is whole: ${entries} entries, ${noted}\nKeep the head elsewhere: with --head it shows later that nothing was cut off.`;
  return `The audit trail is BROKEN at entry ${broken.sequence}: ${broken.reason}\nWhole up to there: ${entries} entries, ${noted}`;
}

/** Writes every entry as a line of JSON, the oldest first. */
export async function exportAudit(client: Client, out: Writable, team: string | undefined): Promise<void> {
  for await (const chunk of client.stream("/v1/audit/export", team === undefined ? {} : { team })) {
    if (!out.write(chunk)) await once(out, "drain");
  }
}
