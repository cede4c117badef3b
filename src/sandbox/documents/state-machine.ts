import { isMap, type PropertyMap, type PropertyValue } from "../values.ts";

const stateTypes = new Set(["Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"]);
const terminal = new Set(["Succeed", "Fail"]);
const withoutNext = new Set(["Choice", "Succeed", "Fail"]);

/** What Step Functions says against a definition's structure (https://states-language.net/spec.html), without running it. */
export function* stateMachineProblems(definition: PropertyValue | undefined): Iterable<string> {
  if (!isMap(definition)) return yield "SCHEMA_VALIDATION_FAILED: the definition must be a JSON object";
  yield* machineProblems(definition, "");
}

function* machineProblems(machine: PropertyMap, where: string): Iterable<string> {
  const { States, StartAt } = machine;
  if (!isMap(States) || Object.keys(States).length === 0)
    return yield `SCHEMA_VALIDATION_FAILED: States is missing${at(where)}`;
  const names = new Set(Object.keys(States));
  if (typeof StartAt !== "string" || !names.has(StartAt))
    yield `MISSING_TRANSITION_TARGET: StartAt names "${String(StartAt)}", which is no state${at(where)}`;
  for (const [name, state] of Object.entries(States)) {
    const here = where === "" ? name : `${where}/${name}`;
    if (name.length > 80) yield `INVALID_STATE_NAME: "${name}" has ${name.length} characters, AWS allows 80`;
    if (isMap(state)) yield* stateProblems(state, here, names);
    else yield `SCHEMA_VALIDATION_FAILED: ${here} is no object`;
  }
  yield* unreachable(States, String(StartAt), where);
}

function* stateProblems(state: PropertyMap, here: string, names: ReadonlySet<string>): Iterable<string> {
  const type = String(state.Type);
  if (!stateTypes.has(type))
    return yield `SCHEMA_VALIDATION_FAILED: ${here} has the Type "${type}", must be one of ${[...stateTypes].join(", ")}`;
  for (const target of targetsOf(state))
    if (!names.has(target))
      yield `MISSING_TRANSITION_TARGET: ${here} goes on to "${target}", which is no state`;
  const goesOn = typeof state.Next === "string";
  const ends = state.End === true;
  if (withoutNext.has(type)) {
    if (goesOn || ends) yield `SCHEMA_VALIDATION_FAILED: ${here} of Type ${type} has neither Next nor End`;
  } else if (goesOn === ends) yield `SCHEMA_VALIDATION_FAILED: ${here} must have either Next or End: true`;
  if (type === "Task" && typeof state.Resource !== "string")
    yield `SCHEMA_VALIDATION_FAILED: ${here} must name its Resource`;
  if (type === "Choice" && !(Array.isArray(state.Choices) && state.Choices.length > 0))
    yield `SCHEMA_VALIDATION_FAILED: ${here} must have Choices`;
  if (
    type === "Wait" &&
    ["Seconds", "Timestamp", "SecondsPath", "TimestampPath"].filter((name) => name in state).length !== 1
  )
    yield `SCHEMA_VALIDATION_FAILED: ${here} must have exactly one of Seconds, Timestamp, SecondsPath, TimestampPath`;
  if (
    (terminal.has(type) || type === "Choice" || type === "Pass" || type === "Wait") &&
    (Array.isArray(state.Retry) || Array.isArray(state.Catch))
  )
    yield `SCHEMA_VALIDATION_FAILED: ${here} of Type ${type} can neither Retry nor Catch`;
  const branches =
    type === "Parallel"
      ? state.Branches
      : type === "Map"
        ? [state.ItemProcessor ?? state.Iterator ?? null]
        : [];
  if (type === "Parallel" && !Array.isArray(branches))
    yield `SCHEMA_VALIDATION_FAILED: ${here} must have Branches`;
  for (const [index, branch] of (Array.isArray(branches) ? branches : []).entries()) {
    if (isMap(branch)) yield* machineProblems(branch, `${here}[${index}]`);
    else yield `SCHEMA_VALIDATION_FAILED: ${here} must have an ItemProcessor`;
  }
}

function targetsOf(state: PropertyMap): string[] {
  const choices = [state.Choices, state.Catch].flatMap((list) =>
    Array.isArray(list) ? list.filter(isMap) : [],
  );
  return [state.Next, state.Default, ...choices.map(({ Next }) => Next)].filter(
    (target) => typeof target === "string",
  );
}

function* unreachable(states: PropertyMap, start: string, where: string): Iterable<string> {
  const reached = new Set([start]);
  for (const name of reached) {
    const state = states[name];
    if (isMap(state)) for (const target of targetsOf(state)) reached.add(target);
  }
  for (const name of Object.keys(states))
    if (!reached.has(name)) yield `MISSING_TRANSITION_TARGET: State "${name}" is not reachable${at(where)}`;
}

function at(where: string): string {
  return where === "" ? "" : ` at ${where}`;
}
