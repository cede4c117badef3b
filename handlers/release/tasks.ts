import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  type ECSClient,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
  type TaskDefinition,
} from "@aws-sdk/client-ecs";
import { PREDICTOR } from "../../programs/serving/function-names.ts";
import { CONTAINER, MODEL_VARIABLE, TASK_PORT, TASKS_AT_ONCE } from "../../programs/serving/task.ts";
import type { Deployments } from "./code-deploy.ts";
import type { Version } from "./documents.ts";
import { NotYet, ReleaseFailed } from "./failures.ts";
import { askTasks } from "./load-balancer.ts";
import type { Serving } from "./serving.ts";
import type { CurrentSettings, Place, TaskBackend } from "./settings.ts";

/** Of a task definition, what can be registered again. */
const REGISTERED = [
  "family",
  "taskRoleArn",
  "executionRoleArn",
  "networkMode",
  "volumes",
  "cpu",
  "memory",
  "requiresCompatibilities",
  "runtimePlatform",
  "ephemeralStorage",
] as const satisfies readonly (keyof TaskDefinition & keyof RegisterTaskDefinitionCommandInput)[];

/**
 * Tasks behind the internal load balancer, whose listeners CodeDeploy shifts. A version runs for the first time when its deployment
 * has started: CodeDeploy gives it the test listener first and calls this function, which tries it there. Before the first release
 * there is no service: recording one and updating the pipeline bring it up.
 */
export function tasks(
  ecs: ECSClient,
  deployments: Deployments,
  { named, tags }: Place,
  backend: () => Promise<TaskBackend>,
): Serving {
  const family = named(PREDICTOR);

  const describe = async () => {
    const { services } = await ecs.send(
      new DescribeServicesCommand({ cluster: named("serving"), services: [family] }),
    );
    const service = services?.find(({ status }) => status === "ACTIVE");
    const primary = service?.taskSets?.find(({ status }) => status === "PRIMARY");
    return (
      service && {
        servesNow: primary?.taskDefinition ?? service.taskDefinition ?? "",
        isSteady: primary?.stabilityStatus === "STEADY_STATE",
      }
    );
  };

  /** The newest revision with the version's image and name in it; the program's changes of size come along. */
  const register = async (version: Version, settings: CurrentSettings): Promise<string> => {
    const { taskDefinition: latest } = await ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: family }),
    );
    if (latest === undefined) throw new Error(`Task definition ${family} has no active revision`);
    const wanted = withVersion(latest, version);
    // Registered by this release already, before a crash.
    if (JSON.stringify(wanted) === JSON.stringify(latest.containerDefinitions))
      return latest.taskDefinitionArn ?? "";
    const { taskDefinition } = await ecs.send(
      new RegisterTaskDefinitionCommand({
        ...(Object.fromEntries(REGISTERED.map((key) => [key, latest[key]])) as Pick<
          TaskDefinition,
          (typeof REGISTERED)[number]
        > & { family: string }),
        containerDefinitions: wanted,
        tags: Object.entries({ ...settings.rollout.tags, ...tags }).map(([key, value]) => ({ key, value })),
      }),
    );
    return taskDefinition?.taskDefinitionArn ?? "";
  };

  const start = (wanted: { name: string; since: Date; taskDefinitionArn: string; configName?: string }) => {
    const { name, since, taskDefinitionArn, configName } = wanted;
    const TargetService = {
      Type: "AWS::ECS::Service",
      Properties: {
        TaskDefinition: taskDefinitionArn,
        LoadBalancerInfo: { ContainerName: CONTAINER, ContainerPort: TASK_PORT },
      },
    };
    return deployments.start({
      name,
      since,
      appSpec: {
        version: 0.0,
        Resources: [{ TargetService }],
        // What goes back was tried when it came.
        ...(configName === undefined && { Hooks: [{ AfterAllowTestTraffic: named("release") }] }),
      },
      ...(configName !== undefined && { configName }),
    });
  };

  /** Replaces all tasks at once. Throws `NotYet` until those of the task definition serve. */
  const replace = async (name: string, since: Date, taskDefinitionArn: string) => {
    const service = await describe();
    if (service === undefined || service.servesNow === taskDefinitionArn) return;
    const deploymentId = await start({ name, since, taskDefinitionArn, configName: TASKS_AT_ONCE });
    if ((await deployments.outcome(deploymentId)) === "failed") {
      throw new ReleaseFailed("NoWayBack", `Deployment ${deploymentId} back to ${taskDefinitionArn} failed`);
    }
    throw new NotYet(`Deployment ${deploymentId} brings ${taskDefinitionArn} back`);
  };

  return {
    deploy: async ({ state, settings, note }) => {
      if (state.taskDefinitionArn !== undefined || (await describe()) === undefined) return;
      await note({ taskDefinitionArn: await register(state.version, settings) });
    },
    // Nothing runs before the shift.
    ask: async () => undefined,
    served: async () => {
      const service = await describe();
      if (service === undefined) return undefined;
      const { servesNow, isSteady } = service;
      if (!isSteady) throw new NotYet(`The tasks of ${servesNow} are starting`);
      const { taskDefinition } = await ecs.send(
        new DescribeTaskDefinitionCommand({ taskDefinition: servesNow }),
      );
      const container = taskDefinition?.containerDefinitions?.find(({ name }) => name === CONTAINER);
      const variable = container?.environment?.find(({ name }) => name === MODEL_VARIABLE);
      return {
        modelPackageArn: variable?.value ?? "",
        made: { taskDefinitionArn: servesNow },
        ask: async (request) => askTasks(await backend(), "callers", request),
      };
    },
    startShift: async ({ state, note }) => {
      const { taskDefinitionArn } = state;
      if (taskDefinitionArn === undefined || state.deploymentId !== undefined) return;
      const service = await describe();
      if (service === undefined || service.servesNow === taskDefinitionArn) return;
      await note({ state: "shifting", servedBefore: service.servesNow });
      const since = new Date(state.askedAt);
      await note({ deploymentId: await start({ name: state.releaseId, since, taskDefinitionArn }) });
    },
    followShift: async ({ state }) =>
      state.deploymentId === undefined ? "shifted" : deployments.outcome(state.deploymentId),
    interrupt: async ({ state }) => {
      await deployments.stop(state);
    },
    giveBack: async ({ state, recorded }) => {
      if (await deployments.stop(state)) throw new NotYet("CodeDeploy gives the traffic back");
      const before = recorded?.made.taskDefinitionArn ?? state.servedBefore;
      if (before !== undefined) await replace(`${state.releaseId}-back`, new Date(state.askedAt), before);
    },
    endTrials: async () => undefined,
    found: ({ state }) => ({
      made: { ...(state.taskDefinitionArn !== undefined && { taskDefinitionArn: state.taskDefinitionArn }) },
    }),
    goTo: async ({ release }, recorded) => {
      const { taskDefinitionArn } = release.made;
      if (taskDefinitionArn === undefined) {
        throw new ReleaseFailed(
          "NoWayBack",
          `${release.modelPackageArn} has no task definition: release it anew`,
        );
      }
      await replace(`${recorded.releaseId}-back`, new Date(recorded.recordedAt), taskDefinitionArn);
      return { made: { taskDefinitionArn } };
    },
    // Revisions cost nothing, and any of them can serve again.
    discard: async () => undefined,
  };
}

function withVersion(
  { containerDefinitions = [] }: TaskDefinition,
  { repository, imageDigest, modelPackageArn }: Version,
): NonNullable<RegisterTaskDefinitionCommandInput["containerDefinitions"]> {
  return containerDefinitions.map((container) =>
    container.name === CONTAINER
      ? {
          ...container,
          image: `${repository}@${imageDigest}`,
          environment: (container.environment ?? []).map((variable) =>
            variable.name === MODEL_VARIABLE ? { ...variable, value: modelPackageArn } : variable,
          ),
        }
      : container,
  );
}
