import type { Facts } from "../facts/facts.ts";
import { auditIsComplete } from "./audit.ts";
import { noLockIsLeft, noStrayStateFile, nothingIsPending } from "./backend.ts";
import { inventoryMatchesStates, statesHaveNothingTwice } from "./inventory.ts";
import { nodesLive, noProcessIsLeft, noTemporaryFileIsLeft } from "./machine.ts";
import {
  attemptsAreLimited,
  eventsHaveNoGaps,
  nothingNeedsRepair,
  operationsAreKept,
  operationsEnded,
} from "./operations.ts";
import { endsAreTrue, tablesMatchStates } from "./tables.ts";
import type { Violation } from "./violation.ts";

/** What holds whenever nothing runs, by the words in which a report tells it. */
export const invariants: Readonly<Record<string, (facts: Facts) => readonly Violation[]>> = {
  "every operation ended": operationsEnded,
  "no accepted operation is lost": operationsAreKept,
  "no operation was tried too often": attemptsAreLimited,
  "no stack waits for a person": nothingNeedsRepair,
  "events have no gaps": eventsHaveNoGaps,
  "state equals inventory": inventoryMatchesStates,
  "no resource is twice in a state": statesHaveNothingTwice,
  "tables equal state": tablesMatchStates,
  "ends are true": endsAreTrue,
  "no lock is left": noLockIsLeft,
  "nothing is pending in a state": nothingIsPending,
  "no half-written file is left": noStrayStateFile,
  "no node died by itself": nodesLive,
  "no process is left": noProcessIsLeft,
  "no temporary file is left": noTemporaryFileIsLeft,
  "the audit trail is complete": auditIsComplete,
};
