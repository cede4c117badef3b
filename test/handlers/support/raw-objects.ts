import { createHash } from "node:crypto";
import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import type { aSpec } from "../../programs/support/inputs.ts";
import type { AwsAnswer, AwsRequest } from "../../support/aws-recorder.ts";
import { json, jsonError } from "./aws-answers.ts";
import { emulatorClient, type PipelineInAws } from "./pipeline-in-aws.ts";

export const VALIDATION_IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/aidlc-validation-job:1";

/** A data set of penguins' species, whose large files are validated by jobs. */
export const SPECIES_DATASET: NonNullable<NonNullable<Parameters<typeof aSpec>[0]>["dataset"]> = {
  schema: [
    { name: "id", type: "integer", nullable: false },
    { name: "species", type: "string", nullable: false, enum: ["Adelie", "Gentoo"] },
  ],
  keys: [["id"]],
  validationImage: VALIDATION_IMAGE,
};

/** What a pipeline's own metric sums up to; undefined where nothing was published. */
export async function publishedSum(pipeline: PipelineInAws, metric: string): Promise<number | undefined> {
  const { Datapoints = [] } = await emulatorClient(CloudWatchClient, pipeline.environmentOf("validate")).send(
    new GetMetricStatisticsCommand({
      Namespace: pipeline.setting.names.metricNamespace,
      MetricName: metric,
      StartTime: new Date(Date.now() - 3_600_000),
      EndTime: new Date(Date.now() + 3_600_000),
      Period: 86_400,
      Statistics: ["Sum"],
    }),
  );
  return Datapoints[0]?.Sum;
}

/** A version of an object in `raw`, as S3 tells of it. */
export interface Told {
  readonly key: string;
  readonly versionId: string;
  readonly size?: number;
  readonly bucket?: string;
  readonly sequencer?: string;
}

export async function bring(
  pipeline: PipelineInAws,
  key: string,
  body: string | Uint8Array,
): Promise<Told & { readonly size: number }> {
  return { key, versionId: await pipeline.put("raw", key, body), size: Buffer.byteLength(body) };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html, from S3 through SQS. */
export const notification = (
  pipeline: PipelineInAws,
  { key, versionId, size = 20, bucket, sequencer = "0055AED6DCD90281E5" }: Told,
) => ({
  eventVersion: "2.1",
  eventSource: "aws:s3",
  awsRegion: "eu-west-1",
  eventTime: "2026-03-01T11:59:00.000Z",
  eventName: "ObjectCreated:Put",
  userIdentity: { principalId: "AIDAJDPLRKLG7UEXAMPLE" },
  requestParameters: { sourceIPAddress: "127.0.0.1" },
  responseElements: {
    "x-amz-request-id": "C3D13FE58DE4C810",
    "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S",
  },
  s3: {
    s3SchemaVersion: "1.0",
    configurationId: "ingest",
    bucket: {
      name: bucket ?? pipeline.bucket("raw"),
      ownerIdentity: { principalId: "A3NL1KOZZKExample" },
      arn: `arn:aws:s3:::${pipeline.bucket("raw")}`,
    },
    object: {
      key: encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/"),
      size,
      eTag: "d41d8cd98f00b204e9800998ecf8427e",
      versionId,
      sequencer,
    },
  },
});

export async function verdictOf(pipeline: PipelineInAws, kind: "validated" | "quarantine", told: Told) {
  const key = createHash("sha256")
    .update(JSON.stringify([told.key, told.versionId]))
    .digest("hex");
  return JSON.parse(String(await pipeline.read(kind, `verdicts/${key}.json`)));
}

/** The lineage graph, which the emulator has not. An action's name is taken once. */
export function lineageGraph(): (request: AwsRequest) => AwsAnswer | undefined {
  const actions = new Set<string>();
  const arn = (resource: string) => `arn:aws:sagemaker:eu-west-1:123456789012:${resource}`;
  return ({ target, body }) => {
    switch (target) {
      case "SageMaker.CreateArtifact":
        return json({
          ArtifactArn: arn(`artifact/${createHash("sha256").update(body).digest("hex").slice(0, 32)}`),
        });
      case "SageMaker.CreateAction": {
        const { ActionName } = JSON.parse(body);
        if (actions.has(ActionName)) return jsonError("ValidationException", "Action already exists");
        actions.add(ActionName);
        return json({ ActionArn: arn(`action/${ActionName}`) });
      }
      case "SageMaker.DescribeAction":
        return json({ ActionArn: arn(`action/${JSON.parse(body).ActionName}`) });
      case "SageMaker.AddAssociation":
        return json({});
      default:
        return undefined;
    }
  };
}

/** SageMaker gives a job's name once, which the emulator does not know. */
export function jobNamesOnce(): (request: AwsRequest) => AwsAnswer | undefined {
  const taken = new Set<string>();
  return ({ target, body }) => {
    if (target !== "SageMaker.CreateProcessingJob") return undefined;
    const { ProcessingJobName } = JSON.parse(body);
    if (taken.has(ProcessingJobName)) return jsonError("ResourceInUse", "Job name must be unique");
    taken.add(ProcessingJobName);
    return undefined;
  };
}
