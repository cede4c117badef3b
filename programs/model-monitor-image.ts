import type { Arns } from "./arns.ts";

const REPOSITORY = "sagemaker-model-monitor-analyzer";

/** AWS's registries by region: https://docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths/sagemaker-algo-docker-registry-paths.html */
const MODEL_MONITOR_REGISTRIES: Readonly<Record<string, string>> = {
  "af-south-1": "875698925577",
  "ap-east-1": "001633400207",
  "ap-northeast-1": "574779866223",
  "ap-northeast-2": "709848358524",
  "ap-south-1": "126357580389",
  "ap-southeast-1": "245545462676",
  "ap-southeast-2": "563025443158",
  "ca-central-1": "536280801234",
  "eu-central-1": "048819808253",
  "eu-north-1": "895015795356",
  "eu-south-1": "933208885752",
  "eu-west-1": "468650794304",
  "eu-west-2": "749857270468",
  "eu-west-3": "680080141114",
  "me-south-1": "607024016150",
  "sa-east-1": "539772159869",
  "us-east-1": "156813124566",
  "us-east-2": "777275614652",
  "us-gov-west-1": "362178532790",
  "us-west-1": "890145073186",
  "us-west-2": "159807026194",
};

function registryIn(region: string): string {
  const registry = MODEL_MONITOR_REGISTRIES[region];
  if (registry === undefined) {
    throw new RangeError(
      `SageMaker Model Monitor has no registry in ${region}; use monitoring.engine builtin`,
    );
  }
  return registry;
}

export const modelMonitorImage = (region: string) =>
  `${registryIn(region)}.dkr.ecr.${region}.amazonaws.com/${REPOSITORY}`;

export const modelMonitorRepository = (arns: Arns, region: string) =>
  `arn:${arns.partition}:ecr:${region}:${registryIn(region)}:repository/${REPOSITORY}`;
