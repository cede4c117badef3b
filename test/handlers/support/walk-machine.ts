import type { State, StateMachine } from "../../../programs/delivery/state-language.ts";

export interface Walk {
  /** Names of the states that were passed. */
  readonly states: readonly string[];
  /** Where it ended. */
  readonly end: string;
  /** What the last failure was caught for. */
  readonly failure?: { readonly error: string; readonly cause: string };
}

export interface Walker {
  readonly machine: StateMachine;
  readonly executionName: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Throws what a function throws. */
  readonly invoke: (functionName: string, payload: Readonly<Record<string, unknown>>) => Promise<unknown>;
  /** Time passes: a wait, or the interval before something is asked again. */
  readonly pass: (seconds: number, stateName: string) => Promise<void>;
}

type Data = Record<string, unknown>;

const MOST_STEPS = 500;

/** Goes through a state machine as Step Functions does, as far as the programs use its language. */
export async function walk({ machine, executionName, input, invoke, pass }: Walker): Promise<Walk> {
  const data: Data = structuredClone(input);
  const context = { Execution: { Name: executionName } };
  const states: string[] = [];
  let failure: Walk["failure"];
  let name = machine.StartAt;
  for (let step = 0; step < MOST_STEPS; step++) {
    const state = machine.States[name];
    if (state === undefined) throw new Error(`No state ${name}`);
    states.push(name);
    if (state.Type === "Succeed" || state.Type === "Fail")
      return { states, end: name, ...(failure && { failure }) };
    if (state.Type === "Wait") {
      await pass(state.Seconds, name);
      name = state.Next;
    } else if (state.Type === "Choice") {
      name =
        state.Choices.find(({ Variable, StringEquals }) => at(data, Variable.slice(2)) === StringEquals)
          ?.Next ?? state.Default;
    } else {
      try {
        const result = await attempt(name, state);
        if (state.ResultPath !== null) data[state.ResultPath.slice(2)] = result;
        if (state.Next === undefined) return { states, end: name };
        name = state.Next;
      } catch (error) {
        const caught = state.Catch?.[0];
        if (caught === undefined) throw error;
        failure = { error: (error as Error).name, cause: (error as Error).message };
        name = caught.Next;
      }
    }
  }
  throw new Error(`Still going after ${MOST_STEPS} states: ${states.slice(-10).join(", ")}`);

  async function attempt(stateName: string, state: Extract<State, { Type: "Task" }>): Promise<unknown> {
    const { FunctionName, Payload } = state.Parameters as { FunctionName: string; Payload: Data };
    const payload = Object.fromEntries(
      Object.entries(Payload).map(([key, value]) => {
        if (!key.endsWith(".$")) return [key, value];
        const path = String(value);
        return [
          key.slice(0, -2),
          path.startsWith("$$.") ? at(context, path.slice(3)) : at(data, path.slice(2)),
        ];
      }),
    );
    const retry = state.Retry?.find(({ ErrorEquals }) => ErrorEquals.includes("NotYet"));
    for (let left = retry?.MaxAttempts ?? 0; ; left--) {
      try {
        const answer = await invoke(FunctionName, payload);
        return state.ResultSelector === undefined ? answer : { outcome: at(answer, "outcome") };
      } catch (error) {
        if ((error as Error).name !== "NotYet" || left === 0) throw error;
        await pass(retry?.IntervalSeconds ?? 0, stateName);
      }
    }
  }
}

const at = (data: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((value, key) => (value as Data | undefined)?.[key], data);
