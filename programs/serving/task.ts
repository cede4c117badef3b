import type { PipelineSpec } from "../spec.ts";

/** Where the inference image listens in mode ecs, with a certificate of its own making: the load balancer encrypts to it. */
export const TASK_PORT = 8443;

/** Container in the task definition, as CodeDeploy's application specification names it. */
export const CONTAINER = "predict";

/** CodeDeploy's own way of replacing tasks where there is nothing left to try. */
export const TASKS_AT_ONCE = "CodeDeployDefault.ECSAllAtOnce";

/** Tells the inference image which version's it is. */
export const MODEL_VARIABLE = "AIDLC_MODEL_PACKAGE";

/** Processor units of Fargate that go with this memory: half a processor for each GB, as far as AWS sells that. */
export function cpuUnits(memoryMb: PipelineSpec["serving"]["memoryMb"]): 512 | 1024 | 2048 | 4096 {
  if (memoryMb < 2048) return 512;
  if (memoryMb < 4096) return 1024;
  return memoryMb < 8192 ? 2048 : 4096;
}

export interface ContainerInput {
  readonly image: string;
  readonly modelPackageArn: string;
  readonly logGroup: string;
  readonly region: string;
}

/** The one container of a task: it can write nowhere but to its scratch volume, and gains no privileges. */
export function containerDefinitions({ image, modelPackageArn, logGroup, region }: ContainerInput): string {
  return JSON.stringify([
    {
      name: CONTAINER,
      image,
      essential: true,
      readonlyRootFilesystem: true,
      user: "1000",
      portMappings: [{ containerPort: TASK_PORT, protocol: "tcp" }],
      environment: [{ name: MODEL_VARIABLE, value: modelPackageArn }],
      mountPoints: [{ sourceVolume: "scratch", containerPath: "/tmp", readOnly: false }],
      linuxParameters: { initProcessEnabled: true, capabilities: { drop: ["ALL"] } },
      logConfiguration: {
        logDriver: "awslogs",
        options: { "awslogs-group": logGroup, "awslogs-region": region, "awslogs-stream-prefix": CONTAINER },
      },
    },
  ]);
}
