import {
  CloudWatchLogsClient,
  CreateLogStreamCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
  ResourceAlreadyExistsException,
} from "@aws-sdk/client-cloudwatch-logs";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import { awsClient } from "../runtime/aws.ts";
import type { Environment } from "../runtime/environment.ts";

/** An entry of the record of an incident. */
const Entry = Type.Object({
  eventId: Type.String(),
  /** ISO 8601. */
  at: Type.String(),
  /** The function's request, as its own log names it. */
  by: Type.String(),
  entry: Type.Enum(["begun", "acted", "told", "ended"]),
  /** What the event is about. */
  cause: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  action: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  outcome: Type.Optional(Type.Enum(["done", "gone", "failed"])),
  detail: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});

export type Entry = Static<typeof Entry>;

export interface IncidentLog {
  /** What was recorded of this event before; empty for a new one, of which a stream is begun. */
  open(eventId: string): Promise<readonly Entry[]>;
  add(entry: Entry): Promise<void>;
}

/** A stream for each event. What stands there stays: the function may add to it, and delete nothing. */
export function incidentLog(env: Environment, logGroupName: string): IncidentLog {
  const logs = awsClient(CloudWatchLogsClient, env);
  return {
    open: async (logStreamName) => {
      try {
        await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
        return [];
      } catch (error) {
        if (!(error instanceof ResourceAlreadyExistsException)) throw error;
        const { events = [] } = await logs.send(
          new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true }),
        );
        return events.map(({ message = "" }) => Value.Parse(Entry, JSON.parse(message)));
      }
    },
    add: async (entry) => {
      const { rejectedLogEventsInfo: rejected } = await logs.send(
        new PutLogEventsCommand({
          logGroupName,
          logStreamName: entry.eventId,
          logEvents: [{ timestamp: Date.parse(entry.at), message: JSON.stringify(entry) }],
        }),
      );
      // Of a clock that is wrong: CloudWatch takes nothing older than two weeks, and says so only here.
      if (rejected !== undefined) throw new Error(`CloudWatch refused the record of ${entry.eventId}`);
    },
  };
}
