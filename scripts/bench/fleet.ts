import { benchChecks } from "./fleet/checks.ts";
import { benchReads } from "./fleet/reads.ts";

/**
 * The service at the size of a platform: drift checks of up to 1,000 registered pipelines against the bare script, and lists and
 * status at 10,000 pipelines and 1,000,000 events against a bare route. `quick` does a fifth of it, to see whether it works.
 */
export async function benchFleet(
  environment: NodeJS.ProcessEnv,
  print: (line: string) => void,
  { quick }: { readonly quick: boolean },
) {
  const reads = await benchReads(
    environment,
    print,
    quick ? { teams: 20, rounds: 2, seconds: 1 } : { teams: 100, rounds: 5, seconds: 2 },
  );
  const checks = await benchChecks(
    environment,
    print,
    quick
      ? { real: 8, registered: [4, 20, 200], checks: 20, atOnce: 10 }
      : { real: 40, registered: [10, 100, 1_000], checks: 100, atOnce: 20 },
  );
  return {
    fleetRatio: checks.ratio,
    listP99Growth: reads.listP99Growth,
    throughputRatio: reads.throughputRatio,
    reads: reads.raw,
    checks: checks.raw,
  };
}
