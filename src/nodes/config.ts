import { nodeMemoryMib, placesIn } from "./places.ts";
import { type NodeRecord, type NodeRole, nodeRoles, works } from "./store.ts";

type Environment = Readonly<Record<string, string | undefined>>;

// Resident, measured twice a second under many runs: of 95 in 100 samples the runner has at most 420 MiB and the Pulumi CLI 167 MiB (at
// their most 507 and 179). The official plugin of AWS takes 300 to 430 MiB.
const operationMib = { sandbox: 640, aws: 1152 } as const;

// The rest is the service's own, and the system's.
const shareForOperations = 0.75;

/** The part of the configuration that says what a node does; problems are added to `problems`. */
export function parseNode(
  environment: Environment,
  // Undefined where they were refused already.
  target: keyof typeof operationMib | undefined,
  concurrency: number | undefined,
  problems: string[],
): { readonly role: NodeRole; readonly places: NodeRecord["places"] } {
  const none = { changes: 0, checks: 0 };
  const given = environment.AIDLC_ROLE || "all";
  const role = nodeRoles.find((each) => each === given);
  if (role === undefined) {
    problems.push(`AIDLC_ROLE="${given}": one of ${nodeRoles.join(", ")}`);
    return { role: "all", places: none };
  }
  if (role !== "all" && !environment.DATABASE_URL) {
    problems.push(
      `AIDLC_ROLE=${role} needs DATABASE_URL: only a node that does everything by itself brings a database along`,
    );
  }
  if (role === "worker" && !environment.PULUMI_BACKEND_URL) {
    problems.push("AIDLC_ROLE=worker needs PULUMI_BACKEND_URL: all workers share the states");
  }
  if (!works(role)) return { role, places: none };
  const mib = (name: string, fallback: number): number => {
    const text = environment[name] || String(fallback);
    if (/^\d{2,7}$/.test(text) && Number(text) > 0) return Number(text);
    problems.push(`${name}="${text}": memory in MiB, from 10 to 9999999`);
    return fallback;
  };
  const limitMib = mib("AIDLC_MEMORY_MIB", Math.floor(nodeMemoryMib() * shareForOperations));
  const eachMib = mib("AIDLC_OPERATION_MEMORY_MIB", operationMib[target ?? "sandbox"]);
  const places = placesIn({ limitMib, operationMib: eachMib, concurrency: concurrency ?? 1 });
  if (places === undefined) {
    problems.push(
      `AIDLC_MEMORY_MIB="${limitMib}": a node needs room for a change and a check, ${eachMib} MiB each (AIDLC_OPERATION_MEMORY_MIB)`,
    );
  }
  return { role, places: places ?? none };
}
