import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  DeleteEndpointCommand,
  DeleteEndpointConfigCommand,
  DeleteModelCommand,
  DescribeEndpointCommand,
  type DescribeEndpointCommandOutput,
  DescribeEndpointConfigCommand,
  DescribeModelCommand,
  type ProductionVariant,
  type SageMakerClient,
  SageMakerServiceException,
} from "@aws-sdk/client-sagemaker";
import { shortHash } from "../../programs/names.ts";
import { cluster } from "../../programs/pipeline-jobs.ts";
import { VARIANT } from "../../programs/serving/endpoints.ts";
import { MODEL_VARIABLE } from "../../programs/serving/task.ts";
import { PREFIX } from "../../programs/storage-layout.ts";
import type { Tags } from "../../programs/tags.ts";
import type { Version } from "./documents.ts";
import { NotYet, ReleaseFailed } from "./failures.ts";
import type { CurrentSettings, Place } from "./settings.ts";

/** What an endpoint is for: to try a version by one instance, or to serve. */
export type Use = "trial" | "live";

/** SageMaker refuses every change of an endpoint in these. */
const IN_BETWEEN = new Set(["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"]);

export const isInBetween = (status: string | undefined) => IN_BETWEEN.has(status ?? "");

export interface Made {
  readonly modelName: string;
  readonly configName: string;
}

/** Models, configurations and endpoints of the pipeline. Everything is named after its content, so making it twice makes it once. */
export interface Endpoints {
  /** Makes a version's model and configuration where they aren't there. */
  make(version: Version, use: Use, settings: CurrentSettings): Promise<Made>;
  describe(endpointName: string): Promise<DescribeEndpointCommandOutput | undefined>;
  create(endpointName: string, configName: string, settings: CurrentSettings): Promise<void>;
  /**
   * Brings an endpoint up that no caller reaches: another version's is deleted first, so that nothing but this one's fate can end it.
   * Throws `NotYet` until it answers and `DeploymentFailed` when SageMaker gives up.
   */
  bringUp(endpointName: string, configName: string, settings: CurrentSettings): Promise<void>;
  /** Deletes an endpoint, by default whatever its configuration is. Throws `NotYet` while SageMaker can't. */
  remove(endpointName: string, configName?: string): Promise<void>;
  /** Deletes a configuration and a model; what is gone already is no error. */
  discard(made: Partial<Made>): Promise<void>;
}

export function createEndpoints(sagemaker: SageMakerClient, place: Place): Endpoints {
  const tagsOf = ({ rollout }: CurrentSettings) => tagList({ ...rollout.tags, ...place.tags });

  const describe = (EndpointName: string) =>
    missingIsNone(() => sagemaker.send(new DescribeEndpointCommand({ EndpointName })));

  const contents = (version: Version, use: Use, settings: CurrentSettings) => {
    const model = modelContent(version, settings);
    const part = (content: unknown) => `v${version.number}-${shortHash(JSON.stringify(content))}`;
    const modelName = place.named(part(model));
    const config = configContent(modelName, use, settings, place);
    return { model, modelName, config, configName: place.named(part(config)) };
  };

  const create: Endpoints["create"] = async (EndpointName, EndpointConfigName, settings) => {
    await sagemaker.send(
      new CreateEndpointCommand({ EndpointName, EndpointConfigName, Tags: tagsOf(settings) }),
    );
  };

  const remove: Endpoints["remove"] = async (endpointName, configName) => {
    const found = await describe(endpointName);
    if (found === undefined || found.EndpointStatus === "Deleting") return;
    if (configName !== undefined && found.EndpointConfigName !== configName) return;
    if (isInBetween(found.EndpointStatus)) {
      throw new NotYet(`Endpoint ${endpointName} is ${found.EndpointStatus} and can't be deleted`);
    }
    await missingIsNone(() => sagemaker.send(new DeleteEndpointCommand({ EndpointName: endpointName })));
  };

  return {
    make: async (version, use, settings) => {
      const { model, modelName, config, configName } = contents(version, use, settings);
      await once(
        () => sagemaker.send(new DescribeModelCommand({ ModelName: modelName })),
        () =>
          sagemaker.send(new CreateModelCommand({ ModelName: modelName, ...model, Tags: tagsOf(settings) })),
      );
      await once(
        () => sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: configName })),
        () =>
          sagemaker.send(
            new CreateEndpointConfigCommand({
              EndpointConfigName: configName,
              ...config,
              Tags: tagsOf(settings),
            }),
          ),
      );
      return { modelName, configName };
    },
    describe,
    create,
    bringUp: async (endpointName, configName, settings) => {
      const found = await describe(endpointName);
      if (found === undefined) await create(endpointName, configName, settings);
      else if (found.EndpointConfigName === configName) {
        if (found.EndpointStatus === "InService") return;
        if (!isInBetween(found.EndpointStatus)) throw failedEndpoint(endpointName, found);
      } else await remove(endpointName);
      throw new NotYet(`Endpoint ${endpointName} is not in service yet`);
    },
    remove,
    discard: async ({ configName, modelName }) => {
      if (configName !== undefined) {
        await missingIsNone(() =>
          sagemaker.send(new DeleteEndpointConfigCommand({ EndpointConfigName: configName })),
        );
      }
      if (modelName !== undefined) {
        await missingIsNone(() => sagemaker.send(new DeleteModelCommand({ ModelName: modelName })));
      }
    },
  };
}

export const failedEndpoint = (
  endpointName: string,
  { EndpointStatus, FailureReason }: Pick<DescribeEndpointCommandOutput, "EndpointStatus" | "FailureReason">,
) =>
  new ReleaseFailed(
    "DeploymentFailed",
    `Endpoint ${endpointName} is ${EndpointStatus}: ${FailureReason ?? "SageMaker gives no reason"}`,
  );

const tagList = (tags: Tags) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** Image and artifact by name, not by the package: a tag is resolved once, when the release is planned. */
function modelContent(
  { repository, imageDigest, modelDataUrl, environment, modelPackageArn }: Version,
  { resources, rollout }: CurrentSettings,
) {
  const { servingRoleArn, subnetIds, securityGroupId } = resources;
  return {
    PrimaryContainer: {
      Image: `${repository}@${imageDigest}`,
      ModelDataUrl: modelDataUrl,
      Environment: { ...environment, [MODEL_VARIABLE]: modelPackageArn },
    },
    ExecutionRoleArn: servingRoleArn,
    // Serverless endpoints know neither isolation nor networks.
    ...(rollout.mode === "realtime" && {
      EnableNetworkIsolation: true,
      ...(subnetIds !== undefined &&
        securityGroupId !== undefined && {
          VpcConfig: { Subnets: subnetIds, SecurityGroupIds: [securityGroupId] },
        }),
    }),
  };
}

function configContent(
  ModelName: string,
  use: Use,
  { resources, rollout, capture }: CurrentSettings,
  { predictionsBucket }: Place,
) {
  const variant = { VariantName: VARIANT, ModelName };
  if (rollout.mode === "serverless") {
    const ServerlessConfig = { MemorySizeInMB: rollout.memoryMb, MaxConcurrency: rollout.maxConcurrency };
    return { ProductionVariants: [{ ...variant, ServerlessConfig }] };
  }
  const { VolumeKmsKeyId } = cluster(rollout.instanceType, 1, resources.volumeKeyArn);
  return {
    ProductionVariants: [
      {
        ...variant,
        InstanceType: rollout.instanceType as NonNullable<ProductionVariant["InstanceType"]>,
        InitialInstanceCount: use === "live" ? rollout.instances : 1,
        InitialVariantWeight: 1,
      },
    ],
    ...(VolumeKmsKeyId !== undefined && { KmsKeyId: VolumeKmsKeyId }),
    ...(use === "live" && {
      DataCaptureConfig: {
        EnableCapture: true,
        InitialSamplingPercentage: capture.samplePercent,
        DestinationS3Uri: `s3://${predictionsBucket}/${PREFIX.captures.slice(0, -1)}`,
        KmsKeyId: resources.volumeKeyArn,
        CaptureOptions: [{ CaptureMode: "Input" as const }, { CaptureMode: "Output" as const }],
        CaptureContentTypeHeader: {
          CsvContentTypes: ["text/csv"],
          JsonContentTypes: ["application/json"],
        },
      },
    }),
  };
}

/** Makes what isn't there. Somebody else may make it meanwhile, which SageMaker tells by no code of its own. */
async function once(find: () => Promise<unknown>, make: () => Promise<unknown>): Promise<void> {
  if ((await missingIsNone(find)) !== undefined) return;
  try {
    await make();
  } catch (error) {
    if ((await missingIsNone(find)) === undefined) throw error;
  }
}

/** Undefined for what SageMaker can't find. */
export async function missingIsNone<Value>(ask: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof SageMakerServiceException)) throw error;
    const { name, message } = error;
    if (name === "ResourceNotFound" || name === "ResourceNotFoundException") return undefined;
    // https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html knows no code of its own for it.
    if (name === "ValidationException" && /could not find|does not exist|RecordNotFound/i.test(message))
      return undefined;
    throw error;
  }
}
