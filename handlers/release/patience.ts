import { NotYet } from "./failures.ts";
import type { Surroundings } from "./surroundings.ts";

/** Less than the function lives: what isn't done by then is asked again by whoever invoked it. */
const PATIENCE_MS = 13 * 60_000;

/** For what nobody asks again as often as the machine asks its tasks. */
export async function patiently<Result>(
  { now, pause }: Surroundings,
  attempt: () => Promise<Result>,
): Promise<Result> {
  const untilMs = now().getTime() + PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof NotYet) || now().getTime() >= untilMs) throw error;
      await pause();
    }
  }
}
