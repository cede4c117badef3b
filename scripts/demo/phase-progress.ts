import { type Phase, phases } from "../../src/engine/phase.ts";
import type { OperationEvent, Step } from "../service/client.ts";

export type PhaseCounts = ReadonlyMap<Phase, number>;

export interface PhaseRow {
  readonly phase: Phase;
  readonly done: number;
  readonly failed: number;
  /** Undefined where no plan told it. */
  readonly planned: number | undefined;
  /** What is being worked on, such as `creating Bucket raw`. */
  readonly current: string | undefined;
  /** Between the first and the last thing that happened in this phase. */
  readonly tookMs: number;
}

interface State {
  readonly done: Set<string>;
  readonly failed: Set<string>;
  readonly current: Map<string, string>;
  firstAt: number | undefined;
  lastAt: number;
}

/** What `body` holds in an event of type `resource`. */
interface ResourceBody {
  readonly status: "started" | "done" | "failed";
  readonly action: string;
  readonly urn: string;
  readonly resourceType: string;
  readonly name: string;
}

/** How far an operation is in each of the five phases, learned from its events. Counts AWS resources, each once. */
export class PhaseProgress {
  readonly #planned: PhaseCounts | undefined;
  readonly #counts: (action: string) => boolean;
  readonly #states = new Map<Phase, State>();

  constructor(planned: PhaseCounts | undefined, counts: (action: string) => boolean = () => true) {
    this.#planned = planned;
    this.#counts = counts;
  }

  add({ type, phase, at, body }: OperationEvent): void {
    if (type !== "resource" || phase === undefined) return;
    const { status, action, urn, resourceType, name } = body as unknown as ResourceBody;
    if (!resourceType.startsWith("aws:")) return;
    const state = this.#stateOf(phase);
    const atMs = Date.parse(at);
    state.firstAt ??= atMs;
    state.lastAt = atMs;
    if (status === "started") {
      state.current.set(urn, `${gerundOf(action)} ${shortType(resourceType)} ${name}`);
      return;
    }
    state.current.delete(urn);
    if (status === "failed") state.failed.add(urn);
    else if (this.#counts(action)) state.done.add(urn);
  }

  rows(): PhaseRow[] {
    return phases.map((phase) => {
      const state = this.#states.get(phase);
      return {
        phase,
        done: state?.done.size ?? 0,
        failed: state?.failed.size ?? 0,
        planned: this.#planned && (this.#planned.get(phase) ?? 0),
        current: state && [...state.current.values()].at(-1),
        tookMs: state?.firstAt === undefined ? 0 : state.lastAt - state.firstAt,
      };
    });
  }

  /** What was done in each phase: the plan of the operation that undoes it. */
  counts(): PhaseCounts {
    return new Map(this.rows().map(({ phase, done }) => [phase, done]));
  }

  #stateOf(phase: Phase): State {
    const state = this.#states.get(phase) ?? {
      done: new Set(),
      failed: new Set(),
      current: new Map(),
      firstAt: undefined,
      lastAt: 0,
    };
    this.#states.set(phase, state);
    return state;
  }
}

export function countByPhase(steps: readonly Step[]): PhaseCounts {
  const counts = new Map<Phase, number>();
  for (const { phase } of steps) if (phase) counts.set(phase, (counts.get(phase) ?? 0) + 1);
  return counts;
}

/** `aws:s3/bucket:Bucket` → `Bucket`. */
export function shortType(type: string): string {
  return type.slice(type.lastIndexOf(":") + 1);
}

function gerundOf(action: string): string {
  const [verb = action] = action.split("-");
  return `${verb.replace(/e$/, "")}ing`;
}
