import type { Logger } from "@aws-lambda-powertools/logger";
import {
  AddAssociationCommand,
  CreateArtifactCommand,
  type SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import { PREFIX } from "../../programs/storage-layout.ts";

export interface BaselineVersion {
  readonly bucket: string;
  readonly version: string;
  /** The version that it came from. */
  readonly before?: string;
}

/**
 * Puts a version into SageMaker's lineage graph, as derived from the one before. The document itself names every object that it was made
 * of, and it is there already: so what SageMaker doesn't take is told and does no harm.
 */
export async function recordVersion(
  sagemaker: SageMakerClient,
  { bucket, version, before }: BaselineVersion,
  logger: Logger,
): Promise<void> {
  // SageMaker knows an artifact by its source: one that exists is answered as it is.
  const artifact = async (name: string) => {
    const SourceUri = `s3://${bucket}/${PREFIX.baselines}${name}.json`;
    const answer = await sagemaker.send(
      new CreateArtifactCommand({ ArtifactType: "DriftBaseline", Source: { SourceUri } }),
    );
    return answer.ArtifactArn;
  };
  try {
    const DestinationArn = await artifact(version);
    if (before === undefined) return;
    const SourceArn = await artifact(before);
    await sagemaker.send(
      new AddAssociationCommand({ SourceArn, DestinationArn, AssociationType: "DerivedFrom" }),
    );
  } catch (error) {
    logger.warn("The lineage graph lacks a version of the baseline", { version, error: error as Error });
  }
}
