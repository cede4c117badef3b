import { createHash } from "node:crypto";
import type { Logger } from "@aws-lambda-powertools/logger";
import {
  AddAssociationCommand,
  CreateActionCommand,
  CreateArtifactCommand,
  DescribeActionCommand,
  type SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import type { VerdictDocument } from "./verdict-store.ts";

const uri = ({ bucket, key, versionId }: VerdictDocument["source"]) =>
  `s3://${bucket}/${key}?versionId=${versionId}`.slice(0, 2048);

/**
 * Puts a validation into SageMaker's lineage graph: the raw object contributed to an action that produced the copy. The verdict's document
 * has all of it, so what SageMaker doesn't take is told and does no harm. Idempotent: artifacts are known by their source, actions by their name.
 */
export async function recordValidation(
  sagemaker: SageMakerClient,
  prefix: string,
  { source, destination, verdict }: VerdictDocument,
  logger: Logger,
): Promise<void> {
  if (destination === undefined) return;
  const artifact = async (ArtifactType: string, object: VerdictDocument["source"]) => {
    const answer = await sagemaker.send(
      new CreateArtifactCommand({ ArtifactType, Source: { SourceUri: uri(object) } }),
    );
    return answer.ArtifactArn;
  };
  const connect = (SourceArn: string | undefined, DestinationArn: string | undefined, produced: boolean) =>
    sagemaker.send(
      new AddAssociationCommand({
        SourceArn,
        DestinationArn,
        AssociationType: produced ? "Produced" : "ContributedTo",
      }),
    );
  try {
    const raw = await artifact("RawData", source);
    const copy = await artifact(
      verdict.outcome === "accepted" ? "AcceptedData" : "QuarantinedData",
      destination,
    );
    const digest = createHash("sha256").update(uri(source)).digest("hex").slice(0, 16);
    const action = await actionArn(sagemaker, `${prefix}-validate-${digest}`, uri(source), verdict);
    await connect(raw, action, false);
    await connect(action, copy, true);
  } catch (error) {
    logger.warn("The lineage graph lacks a validation", { error: error as Error });
  }
}

async function actionArn(
  sagemaker: SageMakerClient,
  ActionName: string,
  SourceUri: string,
  { outcome, sha256, schemaDigest, rows }: VerdictDocument["verdict"],
): Promise<string | undefined> {
  try {
    const answer = await sagemaker.send(
      new CreateActionCommand({
        ActionName,
        ActionType: "Validation",
        Status: "Completed",
        Source: { SourceUri },
        Properties: { outcome, sha256, schemaDigest, rows: String(rows) },
      }),
    );
    return answer.ActionArn;
  } catch (error) {
    // SageMaker has no conflict of its own for a name that is taken.
    const answer = await sagemaker.send(new DescribeActionCommand({ ActionName })).catch(() => {
      throw error;
    });
    return answer.ActionArn;
  }
}
