import type { PipelineSetting } from "../phases/pipeline-setting.ts";

/** The part of the physical name of what answers in the modes lambda and ecs. */
export const PREDICTOR = "predict";

/** CodeDeploy moves this alias from version to version. */
export const ALIAS = "live";

export const functionArn = ({ arns, names }: Pick<PipelineSetting, "arns" | "names">) =>
  arns.regional("lambda", `function:${names.named(PREDICTOR)}`);

export const functionAlias = (setting: Pick<PipelineSetting, "arns" | "names">) =>
  `${functionArn(setting)}:${ALIAS}`;
