import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { CodeDeployClient } from "@aws-sdk/client-codedeploy";
import { ECRClient } from "@aws-sdk/client-ecr";
import { ECSClient } from "@aws-sdk/client-ecs";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import { SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";
import type { ServingMode } from "../../programs/serving/endpoints.ts";
import { type Alerts, createAlerts } from "../runtime/alerts.ts";
import { awsClient } from "../runtime/aws.ts";
import type { Environment } from "../runtime/environment.ts";
import { createSettings, type Settings } from "../runtime/settings.ts";
import { createTelemetry, type Telemetry } from "../runtime/telemetry.ts";
import { createDeployments } from "./code-deploy.ts";
import { endpointTrials } from "./endpoint-trials.ts";
import { lambdaFunction } from "./function.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { realtime } from "./realtime.ts";
import { createEndpoints } from "./sagemaker-endpoints.ts";
import { serverless } from "./serverless.ts";
import type { Serving } from "./serving.ts";
import { type CurrentSettings, currentSettings, type Place, placeOf, TaskBackend } from "./settings.ts";
import { tasks } from "./tasks.ts";

/** Everything that the tasks have in common, made once at cold start. */
export interface Surroundings {
  readonly place: Place;
  readonly settings: Settings;
  readonly ledger: Ledger;
  readonly alerts: Alerts;
  readonly telemetry: Telemetry;
  readonly clients: {
    readonly s3: S3Client;
    readonly sagemaker: SageMakerClient;
    readonly ecr: ECRClient;
    readonly cloudWatch: CloudWatchClient;
    readonly codeDeploy: CodeDeployClient;
  };
  readonly now: () => Date;
  /** Waits between two looks where no machine asks again. */
  readonly pause: () => Promise<void>;
  /** How the pipeline serves now. */
  serving(mode: ServingMode): Serving;
  current(): Promise<CurrentSettings>;
}

/** How long a release may be silent beyond its own bake time before it counts as dead. */
const SILENCE_MINUTES = 90;

export const holdMinutes = ({ rollout }: CurrentSettings) => rollout.bakeMinutes + SILENCE_MINUTES;

export function createSurroundings(
  env: Environment,
  { now, pause }: Pick<Surroundings, "now" | "pause">,
): Surroundings {
  const place = placeOf(env);
  const s3 = awsClient(S3Client, env);
  const sagemaker = awsClient(SageMakerClient, env);
  const codeDeploy = awsClient(CodeDeployClient, env);
  const settings = createSettings(env);
  const ledger = createLedger(s3, place.modelsBucket, now);
  const endpoints = createEndpoints(sagemaker, place);
  const deployments = createDeployments(codeDeploy, place);
  const trials = endpointTrials(endpoints, awsClient(SageMakerRuntimeClient, env), place);
  const ways: Record<ServingMode, () => Serving> = {
    serverless: () => serverless(trials, endpoints, s3, place, (releaseId) => ledger.keep(releaseId, 1)),
    realtime: () => realtime(trials, endpoints, sagemaker, place),
    lambda: () => lambdaFunction(awsClient(LambdaClient, env), deployments, place),
    ecs: () =>
      tasks(awsClient(ECSClient, env), deployments, place, () =>
        settings.document("serving/backend", TaskBackend),
      ),
  };
  const made = new Map<ServingMode, Serving>();
  return {
    place,
    settings,
    ledger,
    alerts: createAlerts(env),
    telemetry: createTelemetry("release", env),
    clients: {
      s3,
      sagemaker,
      ecr: awsClient(ECRClient, env),
      cloudWatch: awsClient(CloudWatchClient, env),
      codeDeploy,
    },
    now,
    pause,
    serving: (mode) => {
      const way = made.get(mode) ?? ways[mode]();
      made.set(mode, way);
      return way;
    },
    current: () => currentSettings(settings),
  };
}
