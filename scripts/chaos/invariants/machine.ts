import type { MachineFacts } from "../facts/machine-facts.ts";
import { type Violation, violation } from "./violation.ts";

export function noProcessIsLeft({ strayProcesses }: MachineFacts): Violation[] {
  return strayProcesses.map(({ pid, what }) =>
    violation("leaks", `Process ${pid} runs without need: ${what}`),
  );
}

export function noTemporaryFileIsLeft({ temporaryFiles }: MachineFacts): Violation[] {
  return temporaryFiles.map((file) => violation("leaks", `${file} is left`));
}

/** No node died that nobody killed. */
export function nodesLive({ ownDeaths }: MachineFacts): Violation[] {
  return ownDeaths.map((death) => violation("stuck", death));
}
