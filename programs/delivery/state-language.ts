import Type, { type Static } from "typebox";
import { Value } from "typebox/value";

const closed = { additionalProperties: false } as const;
const Path = Type.String({ pattern: "^\\$(\\$?)(\\.[A-Za-z_][A-Za-z0-9_]*)*$" });
const StateName = Type.String({ minLength: 1, maxLength: 80 });

const Retrier = Type.Object(
  {
    ErrorEquals: Type.Array(Type.String(), { minItems: 1 }),
    IntervalSeconds: Type.Integer({ minimum: 1 }),
    MaxAttempts: Type.Integer({ minimum: 0 }),
    BackoffRate: Type.Number({ minimum: 1 }),
    JitterStrategy: Type.Optional(Type.Enum(["FULL", "NONE"])),
  },
  closed,
);

const Catcher = Type.Object(
  { ErrorEquals: Type.Array(Type.String(), { minItems: 1 }), Next: StateName, ResultPath: Path },
  closed,
);

const Task = Type.Object(
  {
    Type: Type.Literal("Task"),
    Comment: Type.Optional(Type.String()),
    Resource: Type.String({ pattern: "^arn:aws[a-z-]*:states:::[a-zA-Z0-9:-]+$" }),
    Parameters: Type.Record(Type.String(), Type.Unknown()),
    ResultSelector: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    ResultPath: Type.Union([Path, Type.Null()]),
    TimeoutSeconds: Type.Integer({ minimum: 1 }),
    Retry: Type.Optional(Type.Array(Retrier, { minItems: 1 })),
    Catch: Type.Optional(Type.Array(Catcher, { minItems: 1 })),
    Next: Type.Optional(StateName),
    End: Type.Optional(Type.Literal(true)),
  },
  closed,
);

const Wait = Type.Object(
  {
    Type: Type.Literal("Wait"),
    Comment: Type.Optional(Type.String()),
    // A year, Step Functions' own limit for an execution.
    Seconds: Type.Integer({ minimum: 1, maximum: 31_536_000 }),
    Next: StateName,
  },
  closed,
);

const Choice = Type.Object(
  {
    Type: Type.Literal("Choice"),
    Comment: Type.Optional(Type.String()),
    Choices: Type.Array(
      Type.Object({ Variable: Path, StringEquals: Type.String(), Next: StateName }, closed),
      { minItems: 1 },
    ),
    Default: StateName,
  },
  closed,
);

const Succeed = Type.Object({ Type: Type.Literal("Succeed"), Comment: Type.Optional(Type.String()) }, closed);
const Fail = Type.Object(
  {
    Type: Type.Literal("Fail"),
    Comment: Type.Optional(Type.String()),
    Error: Type.String(),
    Cause: Type.String(),
  },
  closed,
);

const State = Type.Union([Task, Wait, Choice, Succeed, Fail]);

/**
 * As much of the Amazon States Language (https://states-language.net/spec.html) as the programs use, more strictly: every
 * task has a time limit and says where its result goes, every choice has a default.
 */
export const StateMachine = Type.Object(
  {
    Comment: Type.String(),
    StartAt: StateName,
    TimeoutSeconds: Type.Integer({ minimum: 1 }),
    States: Type.Record(StateName, State),
  },
  closed,
);

export type State = Static<typeof State>;
export type StateMachine = Static<typeof StateMachine>;

export function successors(state: State): readonly string[] {
  switch (state.Type) {
    case "Task":
      return [
        ...(state.Next === undefined ? [] : [state.Next]),
        ...(state.Catch ?? []).map(({ Next }) => Next),
      ];
    case "Wait":
      return [state.Next];
    case "Choice":
      return [...state.Choices.map(({ Next }) => Next), state.Default];
    default:
      return [];
  }
}

function reachable({ StartAt, States }: StateMachine): Set<string> {
  const found = new Set<string>();
  const open = [StartAt];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = States[name];
    if (found.has(name) || state === undefined) continue;
    found.add(name);
    open.push(...successors(state));
  }
  return found;
}

/** Every reason for which Step Functions would refuse the machine, or a state of it could never be left or reached. */
export function stateMachineProblems(machine: StateMachine): string[] {
  const broken = [...Value.Errors(StateMachine, machine)].map(
    ({ instancePath, message }) => `${instancePath}: ${message}`,
  );
  if (broken.length > 0) return broken;
  const names = Object.keys(machine.States);
  const within = reachable(machine);
  return [
    ...(names.includes(machine.StartAt) ? [] : [`StartAt names no state: ${machine.StartAt}`]),
    ...Object.entries(machine.States).flatMap(([name, state]) => [
      ...successors(state)
        .filter((next) => !names.includes(next))
        .map((next) => `${name} leads to ${next}, which is no state`),
      ...(state.Type === "Task" && (state.Next === undefined) === (state.End === undefined)
        ? [`${name} must have either Next or End`]
        : []),
    ]),
    ...names.filter((name) => !within.has(name)).map((name) => `${name} is never reached`),
  ];
}
