import { CloudWatchClient, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { S3Client } from "@aws-sdk/client-s3";
import {
  DeleteEndpointCommand,
  DescribeEndpointCommand,
  DescribeNotebookInstanceCommand,
  ListTagsCommand,
  SageMakerClient,
  StopNotebookInstanceCommand,
} from "@aws-sdk/client-sagemaker";
import Type from "typebox";
import { Value } from "typebox/value";
import { VARIANT } from "../../programs/serving/endpoints.ts";
import { TAG } from "../../programs/tags.ts";
import { createLedger } from "../release/ledger.ts";
import { missingIsNone } from "../release/sagemaker-endpoints.ts";
import { createAlerts } from "../runtime/alerts.ts";
import { awsClient } from "../runtime/aws.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { createTelemetry } from "../runtime/telemetry.ts";

const Names = Type.Array(Type.String({ minLength: 1, maxLength: 63 }), { minItems: 1 });

/** What the schedules send: `programs/components/idle-stop.ts`. */
const StopEvent = Type.Union([
  Type.Object({ endpoints: Names }, { additionalProperties: false }),
  Type.Object({ notebooks: Names }, { additionalProperties: false }),
]);

type Kind = "endpoints" | "notebooks";

export interface StopAnswer {
  /** Names of what was stopped or deleted now. */
  readonly stopped: readonly string[];
}

/**
 * Stops the notebooks that run, or deletes the endpoints that nobody has asked anything for as long as the program says. Leaves alone what
 * bears no tags of the pipeline, and every endpoint while a release is under way, whose trials they may be. What is gone or stopped
 * already is nothing to it, so an event may come twice. Throws what kept it from stopping one, after all others.
 */
export function createHandler(
  env: Environment,
  { now = () => new Date() }: { readonly now?: () => Date } = {},
): (event: unknown) => Promise<StopAnswer> {
  const set = variables(env, ["AIDLC_TEAM", "AIDLC_PIPELINE", "AIDLC_MODELS_BUCKET", "AIDLC_IDLE_MINUTES"]);
  const idleMs = Number(set.AIDLC_IDLE_MINUTES) * 60_000;
  const sagemaker = awsClient(SageMakerClient, env);
  const cloudWatch = awsClient(CloudWatchClient, env);
  const ledger = createLedger(awsClient(S3Client, env), set.AIDLC_MODELS_BUCKET, now);
  const alerts = createAlerts(env);
  const { logger } = createTelemetry("stop-idle", env);

  const isOwn = async (ResourceArn: string | undefined): Promise<boolean> => {
    const { Tags = [] } = await sagemaker.send(new ListTagsCommand({ ResourceArn }));
    const bears = (key: string, value: string) => Tags.some((tag) => tag.Key === key && tag.Value === value);
    return bears(TAG.team, set.AIDLC_TEAM) && bears(TAG.pipeline, set.AIDLC_PIPELINE);
  };

  const wasAsked = async (endpointName: string, since: Date): Promise<boolean> => {
    const { MetricDataResults = [] } = await cloudWatch.send(
      new GetMetricDataCommand({
        StartTime: since,
        EndTime: now(),
        MetricDataQueries: [
          {
            Id: "asked",
            MetricStat: {
              Metric: {
                Namespace: "AWS/SageMaker",
                MetricName: "Invocations",
                Dimensions: [
                  { Name: "EndpointName", Value: endpointName },
                  { Name: "VariantName", Value: VARIANT },
                ],
              },
              Period: 300,
              Stat: "Sum",
            },
          },
        ],
      }),
    );
    return MetricDataResults.some(({ Values = [] }) => Values.some((value) => value > 0));
  };

  const removeEndpoint = async (EndpointName: string): Promise<boolean> => {
    const found = await missingIsNone(() => sagemaker.send(new DescribeEndpointCommand({ EndpointName })));
    const { EndpointStatus: status = "", EndpointArn, LastModifiedTime: changedAt = now() } = found ?? {};
    // One that failed to come up answers nobody, and SageMaker deletes none that is on its way.
    if (status !== "InService" && status !== "Failed") return false;
    const since = new Date(now().getTime() - idleMs);
    if (changedAt > since || !(await isOwn(EndpointArn)) || (await wasAsked(EndpointName, since)))
      return false;
    await missingIsNone(() => sagemaker.send(new DeleteEndpointCommand({ EndpointName })));
    return true;
  };

  const stopNotebook = async (NotebookInstanceName: string): Promise<boolean> => {
    const found = await missingIsNone(() =>
      sagemaker.send(new DescribeNotebookInstanceCommand({ NotebookInstanceName })),
    );
    if (found?.NotebookInstanceStatus !== "InService" || !(await isOwn(found.NotebookInstanceArn)))
      return false;
    await sagemaker.send(new StopNotebookInstanceCommand({ NotebookInstanceName }));
    return true;
  };

  /** People are told of what was stopped before the failure of another is thrown: a repetition finds it stopped and tells nobody. */
  const stop = async (
    kind: Kind,
    names: readonly string[],
    stopOne: (name: string) => Promise<boolean>,
  ): Promise<StopAnswer> => {
    const stopped: string[] = [];
    const failures: unknown[] = [];
    for (const name of names) {
      try {
        if (await stopOne(name)) stopped.push(name);
      } catch (error) {
        logger.error("Not stopped", { kind, name, error: error as Error });
        failures.push(error);
      }
    }
    await tell(kind, stopped);
    if (failures.length > 0) throw failures[0];
    return { stopped };
  };

  const tell = async (kind: Kind, stopped: readonly string[]): Promise<void> => {
    logger.info("Looked for what is idle", { kind, stopped });
    if (stopped.length > 0) {
      await alerts.publish("warning", {
        code: `idle_${kind}_stopped`,
        title: `Idle ${kind} were ${kind === "endpoints" ? "deleted" : "stopped"}: ${stopped.length}`,
        detail: { [kind]: stopped },
        remedy:
          kind === "endpoints"
            ? "A release makes them anew; look for one that ended without removing what tried its version"
            : "Start it again where it is needed: its volume is kept",
      });
    }
  };

  return async (event) => {
    if (!Value.Check(StopEvent, event)) {
      throw new TypeError("The event names neither endpoints nor notebooks");
    }
    if ("notebooks" in event) return stop("notebooks", event.notebooks, stopNotebook);
    const holder = await ledger.holder();
    if (holder !== undefined) {
      logger.info("A release is under way", { releaseId: holder.releaseId });
      return { stopped: [] };
    }
    return stop("endpoints", event.endpoints, removeEndpoint);
  };
}
