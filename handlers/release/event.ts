import Type, { type Static } from "typebox";
import { Value } from "typebox/value";

const ARN = Type.String({
  pattern: "^arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\\d{12}:model-package/.+/[1-9]\\d*$",
});

const task = <Task extends string, More extends Record<string, Type.TSchema>>(name: Task, more: More) =>
  Type.Object({
    task: Type.Literal(name),
    // Also a part of a key: names of executions have nothing else.
    releaseId: Type.String({ pattern: "^[A-Za-z0-9_.-]{1,80}$" }),
    modelPackageArn: ARN,
    ...more,
  });

const stage = Type.Enum(["dev", "staging"]);
const percent = Type.Integer({ minimum: 1, maximum: 100 });

/** What the release machine asks for, once or again: `programs/delivery/release-machine.ts`. */
export const MachineTask = Type.Union([
  task("plan", {}),
  task("deploy", { stage }),
  task("test", { stage }),
  task("shift", { percent }),
  task("watch", { percent, minutes: Type.Integer({ minimum: 1 }) }),
  // How to shift stands beside it, and in the settings.
  task("start-shift", {}),
  task("follow-shift", {}),
  task("record", {}),
  task("roll-back", { scope: Type.Enum(["trials", "traffic"]) }),
]);
export type MachineTask = Static<typeof MachineTask>;

/** Outside of the machine: what serves fails, or somebody wants another version back. */
export const Rollback = Type.Union([
  Type.Object({
    task: Type.Literal("roll-back"),
    scope: Type.Literal("release"),
    trigger: Type.Literal("alarm"),
    alarm: Type.String(),
    /** When it began to ring, ISO 8601. */
    at: Type.String(),
  }),
  Type.Object({
    task: Type.Literal("roll-back"),
    scope: Type.Literal("release"),
    trigger: Type.Literal("person"),
    /** Which of the earlier releases; the one before where it isn't said. */
    modelPackageArn: Type.Optional(ARN),
  }),
]);
export type Rollback = Static<typeof Rollback>;

/** An update of the pipeline brought a version up. */
export const Trial = Type.Object({ task: Type.Literal("try") });
export type Trial = Static<typeof Trial>;

/** CodeDeploy's, before it gives tasks any traffic (https://docs.aws.amazon.com/codedeploy/latest/userguide/tutorial-ecs-with-hooks-create-hooks.html). */
export const Hook = Type.Object({
  DeploymentId: Type.String(),
  LifecycleEventHookExecutionId: Type.String(),
});
export type Hook = Static<typeof Hook>;

/** Throws for what nobody sends. */
export function parseEvent(event: unknown): MachineTask | Rollback | Trial | Hook {
  if (Value.Check(MachineTask, event)) return event;
  if (Value.Check(Rollback, event)) return event;
  if (Value.Check(Trial, event)) return event;
  if (Value.Check(Hook, event)) return event;
  throw new TypeError(
    "The event is none of the release machine's tasks, no rollback, no trial and no hook of CodeDeploy",
  );
}
