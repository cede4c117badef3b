import type { Arns } from "./arns.ts";
import { XGBOOST_REGISTRIES, XGBOOST_REPOSITORY, XGBOOST_TAG } from "./built-in-algorithms.ts";
import type { RepositoryKind } from "./names.ts";
import type { PipelineSetting } from "./phases/pipeline-setting.ts";
import type { Parameter } from "./pipeline-jobs.ts";

/** First tag of the pipeline's own repositories. Tags are immutable: later images get their own and reach a run as a parameter. */
const FIRST_TAG = "1";

export interface PipelineImages {
  /** Processing and evaluation. */
  readonly program: string;
  readonly training: string;
  readonly inference: string;
  /** Repositories that the job roles may pull from. */
  readonly repositoryArns: readonly string[];
}

/** The pipeline's own repository behind each execution parameter that names an image of its own: what a delivery of code renews. */
export function deliveredImages({
  spec,
}: PipelineSetting): Readonly<Partial<Record<Parameter, RepositoryKind>>> {
  const builtIn = spec.training.algorithm !== undefined;
  return {
    ...(spec.training.image === undefined && {
      ProgramImage: "training",
      ...(!builtIn && { TrainingImage: "training" }),
    }),
    ...(!builtIn && { InferenceImage: "inference" }),
  };
}

/** Account, region and repository of an ECR image. */
export function repositoryArnOf(image: string, arns: Arns): string {
  const match = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com\/([^:@]+)/.exec(image);
  if (match === null) throw new RangeError(`"${image}" is not an ECR image`);
  const [, accountId, region, repository] = match;
  return `arn:${arns.partition}:ecr:${region}:${accountId}:repository/${repository}`;
}

function builtInImage(region: string): string {
  const registry = XGBOOST_REGISTRIES[region];
  if (registry === undefined) {
    throw new RangeError(
      `The built-in algorithm xgboost has no registry in ${region}; name training.image instead`,
    );
  }
  return `${registry}.dkr.ecr.${region}.amazonaws.com/${XGBOOST_REPOSITORY}:${XGBOOST_TAG}`;
}

/** Without a tag. */
export const repositoryUrl = ({ account, names }: PipelineSetting, kind: RepositoryKind) =>
  `${account.accountId}.dkr.ecr.${account.region}.amazonaws.com/${names.repository(kind)}`;

export function pipelineImages(setting: PipelineSetting): PipelineImages {
  const { account, arns, spec } = setting;
  const own = (kind: RepositoryKind) => `${repositoryUrl(setting, kind)}:${FIRST_TAG}`;
  const program = spec.training.image ?? own("training");
  const builtIn = spec.training.algorithm === undefined ? undefined : builtInImage(account.region);
  const training = builtIn ?? program;
  const inference = builtIn ?? own("inference");
  const images = [...new Set([program, training, inference, own("training")])];
  return {
    program,
    training,
    inference,
    repositoryArns: [...new Set(images.map((image) => repositoryArnOf(image, arns)))],
  };
}
