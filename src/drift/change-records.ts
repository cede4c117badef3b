import { CloudTrailClient, type Event, LookupEventsCommand } from "@aws-sdk/client-cloudtrail";
import { type AccountClients, awsClients, type ClientConfiguration } from "../aws/account-clients.ts";
import { changeRecordsSessionPolicy } from "../aws/session-policies.ts";
import { redactText } from "../redaction.ts";
import type { ChangedBy, Drift } from "./store.ts";

type Changed = Pick<Drift, "type" | "path" | "awsId" | "firstSeenAt" | "lastSeenAt">;

/** Clients that only look into the records of AWS's API calls. */
export const cloudTrailClients = (): AccountClients<CloudTrailClient> =>
  awsClients((configuration: ClientConfiguration) => new CloudTrailClient(configuration), {
    sessionName: "aidlc-change-records",
    policy: changeRecordsSessionPolicy(),
    // AWS answers two such questions a second in each region of an account.
    maxAttempts: 6,
  });

// What was changed longer before it was found was most likely somebody else's change.
const longestMs = 7 * 86_400_000;

/** Who most likely made a change, by CloudTrail; undefined when it doesn't say (yet: it takes up to a quarter of an hour). */
export async function lookUpChange(client: CloudTrailClient, drift: Changed): Promise<ChangedBy | undefined> {
  const events: Event[] = [];
  for (const name of resourceNames(drift.awsId)) {
    const answer = await client.send(
      new LookupEventsCommand({
        LookupAttributes: [{ AttributeKey: "ResourceName", AttributeValue: name }],
        StartTime: new Date(drift.firstSeenAt.getTime() - longestMs),
        EndTime: drift.lastSeenAt,
        MaxResults: 50,
      }),
    );
    events.push(...(answer.Events ?? []));
  }
  return likeliestChange(events, drift);
}

/** What CloudTrail may call a resource: by its id, by the last part of its ARN or address, or by what its id begins with. */
export function resourceNames(awsId: string | null): string[] {
  if (awsId === null || awsId === "") return [];
  const last = awsId.split(/[:/]/).at(-1) ?? "";
  const names =
    awsId.startsWith("arn:") || awsId.startsWith("https:")
      ? [awsId, last]
      : [awsId, awsId.split(":")[0] ?? ""];
  return [...new Set(names)].filter((name) => name !== "");
}

/** Of the calls that changed a resource the one that fits the drift best, and of those the newest. */
export function likeliestChange(events: readonly Event[], drift: Changed): ChangedBy | undefined {
  const gone = drift.path === "";
  const words = [
    ...wordsOf(drift.type.split(":").at(-1) ?? ""),
    ...wordsOf(drift.path.split(/[.[]/)[0] ?? ""),
  ];
  const fitting = events
    .filter(
      (event) =>
        event.ReadOnly !== "true" && event.EventTime !== undefined && event.EventTime <= drift.lastSeenAt,
    )
    .filter((event) => removes.test(event.EventName ?? "") === gone)
    .map((event) => ({ event, record: recordOf(event) }))
    .filter(({ record, event }) => !isOurs(record.principal ?? event.Username ?? ""))
    .map(({ event, record }) => ({ event, record, fit: fitOf(event.EventName ?? "", words) }))
    .sort((a, b) => b.fit - a.fit || Number(b.event.EventTime) - Number(a.event.EventTime));
  const [best] = fitting;
  if (best?.event.EventTime === undefined) return undefined;
  const { event, record } = best;
  return {
    source: "cloudtrail",
    principal: redactText(record.principal ?? event.Username ?? "unknown"),
    event: event.EventName ?? "unknown",
    at: best.event.EventTime.toISOString(),
    ...(record.sourceAddress === undefined ? {} : { sourceAddress: record.sourceAddress }),
  };
}

const removes = /^(Delete|ScheduleKeyDeletion|Terminate|Deregister)/;

/** The service's own sessions have such names. */
function isOurs(principal: string): boolean {
  return /(^|\/)aidlc-[^/]*$/.test(principal);
}

/** `bucketVersioning` has the words bucket and versioning; short ones say too little. */
function wordsOf(name: string): string[] {
  return name
    .split(/(?=[A-Z])/)
    .map((word) => word.toLowerCase().replace(/s$/, ""))
    .filter((word) => word.length > 2);
}

function fitOf(event: string, words: readonly string[]): number {
  const name = event.toLowerCase();
  return new Set(words.filter((word) => name.includes(word))).size;
}

/** What only the record itself says, which CloudTrail gives as a text. */
function recordOf({ CloudTrailEvent: text }: Event): {
  readonly principal: string | undefined;
  readonly sourceAddress: string | undefined;
} {
  try {
    const record = JSON.parse(text ?? "{}") as {
      readonly userIdentity?: { readonly arn?: unknown };
      readonly sourceIPAddress?: unknown;
    };
    const { userIdentity, sourceIPAddress } = record;
    return {
      principal: typeof userIdentity?.arn === "string" ? userIdentity.arn : undefined,
      sourceAddress: typeof sourceIPAddress === "string" ? sourceIPAddress : undefined,
    };
  } catch {
    return { principal: undefined, sourceAddress: undefined };
  }
}
