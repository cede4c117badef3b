import { afterAll, expect, vi } from "vitest";
import { type ReleaseMachineArgs, releaseMachine } from "../../../programs/delivery/release-machine.ts";
import type { StateMachine } from "../../../programs/delivery/state-language.ts";
import type { Statement } from "../../../programs/policy-document.ts";
import type { PipelineSpec } from "../../../programs/spec.ts";
import { type Mode, type ReleaseWorld, releaseWorld } from "./release-world.ts";
import { type Walk, walk } from "./walk-machine.ts";

// A release is hundreds of calls, and many more where each of its tasks dies before each of its changes.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const worlds: ReleaseWorld[] = [];
afterAll(() => Promise.all(worlds.map((world) => world.close())));

export async function aWorld(mode: Mode, spec?: PipelineSpec): Promise<ReleaseWorld> {
  const world = await releaseWorld(mode, spec);
  worlds.push(world);
  return world;
}

/** Of the function's role in every pipeline that was made. */
export const everyGrant = (): Statement[] => worlds.flatMap(({ pipeline }) => pipeline.grantsOf("release"));

/** What is granted beside the calls of the code. */
export const ASKED_BESIDES = {
  "s3:ListBucket": "S3 tells whoever may list that an object is not there",
  "codedeploy:GetApplicationRevision": "CodeDeploy asks it of whoever creates a deployment",
  "codedeploy:GetDeploymentConfig": "CodeDeploy asks it of whoever creates a deployment",
  "codedeploy:RegisterApplicationRevision": "CodeDeploy asks it of whoever creates a deployment",
  "ecs:TagResource": "ECS asks it of whoever registers with tags",
};

/** As the guard's rule sends it, for an alarm that begins to ring now. */
export const alarmEvent = (world: ReleaseWorld) => ({
  task: "roll-back",
  scope: "release",
  trigger: "alarm",
  alarm: world.names.named("release-guard"),
  at: new Date(world.clock.now.getTime() + 1000).toISOString(),
});

export const hourLater = (world: ReleaseWorld) => {
  world.clock.now = new Date(world.clock.now.getTime() + 3_600_000);
};

export interface Play {
  readonly name?: string;
  /** Before the tasks of a state, and when time passes in it. */
  readonly at?: Readonly<Record<string, () => Promise<unknown> | unknown>>;
  /** Before a task of this name is done. */
  readonly beforeTask?: Readonly<Record<string, () => Promise<unknown>>>;
  /** Each task is done again when it is done. */
  readonly twice?: boolean;
  /** Each task dies before its first change, then before its second, until it gets through. */
  readonly dying?: boolean;
}

/** Plays the pipeline's own release machine against the function. */
export async function release(world: ReleaseWorld, modelPackageArn: string, play: Play = {}): Promise<Walk> {
  const { setting } = world.pipeline;
  const args: ReleaseMachineArgs = {
    serving: setting.spec.serving,
    partition: "aws",
    functionArns: { release: "release", verify: "verify" },
    trainingPipelineName: "training",
    deliveredImages: {},
  };
  const once = async (payload: unknown) => {
    for (let count = 0; play.dying; count++) {
      world.killAfter(count);
      try {
        return await world.handle(payload);
      } catch (error) {
        if (!world.wasKilled()) throw error;
      } finally {
        world.killAfter(undefined);
      }
    }
    return world.handle(payload);
  };
  return walk({
    machine: JSON.parse(releaseMachine(args)) as StateMachine,
    executionName: play.name ?? `release-${modelPackageArn.split("/").at(-1)}`,
    input: { trigger: "approval", modelPackageArn },
    invoke: async (functionName, payload) => {
      if (functionName === "verify") return { outcome: "verified" };
      await play.beforeTask?.[String(payload.task)]?.();
      const answer = await once(payload);
      if (play.twice) expect(await world.handle(payload)).toEqual(answer);
      return answer;
    },
    pass: async (seconds, state) => {
      await play.at?.[state]?.();
      world.clock.now = new Date(world.clock.now.getTime() + seconds * 1000);
      for (const hook of world.codeDeploy.hooks()) await world.handle(hook);
    },
  });
}

export const current = (world: ReleaseWorld) =>
  world.document("current") as Promise<{
    modelPackageArn: string;
    endpoint?: { name: string };
    made: Record<string, string>;
    by: string;
    earlier: { modelPackageArn: string; made: Record<string, string> }[];
  }>;

export const traffic = (world: ReleaseWorld) => world.document("traffic");

/** Three versions one after the other: the tasks of the second die and are done twice. */
export const playFully = async (world: ReleaseWorld, bringUp: boolean): Promise<string[]> => {
  const versions = [await world.approve(), await world.approve(), await world.approve()];
  expect((await release(world, versions[0] ?? "")).end).toBe("Released");
  if (bringUp) await world.bringUp(versions[0] ?? "");
  expect((await release(world, versions[1] ?? "", { dying: true, twice: true })).end).toBe("Released");
  expect((await release(world, versions[2] ?? "")).end).toBe("Released");
  return versions;
};
