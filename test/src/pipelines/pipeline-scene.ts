import { afterAll, beforeAll, beforeEach } from "vitest";
import { type Api, startApi } from "../api.ts";
import { PipelineRequests } from "./pipeline-requests.ts";

export interface PipelineScene {
  readonly api: Api;
  /** Has an account. */
  readonly team: string;
  /** About a pipeline that no other test knows; a test may want another one. */
  churn: PipelineRequests;
}

/** What the tests of a file share: the service, a team, and for each of them a pipeline of its own. */
export function pipelineScene(): PipelineScene {
  const scene = {} as { -readonly [Key in keyof PipelineScene]: PipelineScene[Key] };
  beforeAll(async () => {
    scene.api = await startApi();
    scene.team = await scene.api.teamWithAccount();
  });
  beforeEach(() => {
    scene.churn = new PipelineRequests(scene.api, scene.team);
  });
  afterAll(() => scene.api.close());
  return scene;
}
