import type pg from "pg";
import type { Logger } from "pino";
import { TAG } from "../../programs/tags.ts";
import { getAccount } from "../accounts/store.ts";
import { listTagged, type TaggingClients } from "../aws/tagged-resources.ts";
import { AppError } from "../errors.ts";
import { inTransaction } from "../postgres/pool.ts";
import { redactText } from "../redaction.ts";
import { type Place, placesToSweep, recordFailedSweep, recordSweep, unknownToStacks } from "./store.ts";

export interface SweepOptions {
  readonly pool: pg.Pool;
  readonly tagging: TaggingClients;
  readonly log: Logger;
}

/** What belongs to no region, such as CloudFront's distributions, is listed there. */
const globalRegion = "us-east-1";

/**
 * Looks through every registered account and region for what bears our tags and no stack knows, and stores what it found; deletes
 * nothing. An account that can't be looked into is recorded as such, and the others are looked into all the same.
 */
export async function sweepOrphans(options: SweepOptions, now: Date): Promise<void> {
  const { pool, tagging, log } = options;
  const registered = await placesToSweep(pool);
  const regionsOf = Map.groupBy(registered, (place) => place.awsAccountId);
  for (const [awsAccountId, places] of regionsOf) {
    const regions = new Map(places.map((place) => [place.region, place]));
    const [any] = places;
    if (any !== undefined && !regions.has(globalRegion) && isCommercial(any.region))
      regions.set(globalRegion, any);
    for (const [region, { team, account }] of regions) {
      const place: Place = { awsAccountId, region };
      try {
        const known = await getAccount(pool, team, account);
        const tagged = await listTagged(tagging, known, { [TAG.managedBy]: "aidlc" }, region);
        await inTransaction(pool, async (client) => {
          const orphans = await unknownToStacks(client, tagged);
          await recordSweep(client, place, { orphans, resources: tagged.length, now });
        });
      } catch (error) {
        log.warn({ err: error, ...place }, "an account could not be swept for orphans");
        await recordFailedSweep(pool, place, { error: reasonOf(error), now });
      }
    }
  }
}

// The partitions of China and of the government have no us-east-1.
const isCommercial = (region: string) => !/^(cn|us-gov|us-iso)/.test(region);

function reasonOf(error: unknown): string {
  if (error instanceof AppError) return redactText(error.message);
  const { name } = error instanceof Error ? error : { name: "an unknown error" };
  return `The account could not be looked into: ${name}`;
}
