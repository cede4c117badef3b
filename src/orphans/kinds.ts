/**
 * Who makes what no program does, by its ARN: releases and jobs make what lives as long as the pipeline, and some of what stays with
 * its data. Undefined for what only a stack makes.
 */
export function madeBeside(arn: string): "pipeline" | "data" | undefined {
  const [, , service, , , ...rest] = arn.split(":");
  const kind = `${service}:${rest.join(":").split(/[/:]/)[0]}`;
  if (besidePipeline.has(kind)) return "pipeline";
  return besideData.has(kind) ? "data" : undefined;
}

const besidePipeline: ReadonlySet<string> = new Set([
  "codebuild:build",
  "ecs:task",
  "ecs:task-definition",
  "sagemaker:endpoint",
  "sagemaker:endpoint-config",
  "sagemaker:hyper-parameter-tuning-job",
  "sagemaker:model",
  "sagemaker:monitoring-job",
  "sagemaker:processing-job",
  "sagemaker:training-job",
  "sagemaker:transform-job",
]);

const besideData: ReadonlySet<string> = new Set(["backup:recovery-point", "sagemaker:model-package"]);
