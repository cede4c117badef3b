import {
  AddAssociationCommand,
  type AssociationEdgeType,
  CreateArtifactCommand,
  type CreateArtifactCommandInput,
  type SageMakerClient,
  SageMakerServiceException,
} from "@aws-sdk/client-sagemaker";
import type { LineageDocument } from "../models/lineage-document.ts";
import { s3Uri } from "../models/objects.ts";

type Document = Omit<LineageDocument, "graph">;
type Tags = CreateArtifactCommandInput["Tags"];

interface Source {
  readonly artifact: Omit<CreateArtifactCommandInput, "Tags">;
  readonly edge: AssociationEdgeType;
}

/**
 * Puts a version into SageMaker's own lineage graph: an artifact for it and for each thing that it came from. Throws what comes from
 * SageMaker's trouble, so that it is tried again; what SageMaker refuses, it would refuse again: then the graph is `incomplete`, and
 * `told` hears why.
 */
export async function recordGraph(
  sagemaker: SageMakerClient,
  document: Document,
  tags: Tags,
  told: (refusal: Error) => Promise<void>,
): Promise<LineageDocument["graph"]> {
  const create = async (artifact: Source["artifact"]) =>
    (await sagemaker.send(new CreateArtifactCommand({ ...artifact, Tags: tags }))).ArtifactArn;
  try {
    const model = await create(modelArtifact(document));
    for (const { artifact, edge } of sourcesOf(document)) {
      const source = await create(artifact);
      await sagemaker.send(
        new AddAssociationCommand({ SourceArn: source, DestinationArn: model, AssociationType: edge }),
      );
    }
    return "recorded";
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await told(error);
    return "incomplete";
  }
}

const isRefusal = (error: unknown): error is SageMakerServiceException =>
  error instanceof SageMakerServiceException &&
  error.$fault === "client" &&
  error.$retryable === undefined &&
  !error.name.startsWith("Throttl");

function modelArtifact({ model, execution, trigger }: Document): Source["artifact"] {
  return {
    ArtifactType: "Model",
    Source: { SourceUri: model.arn },
    Properties: { artifact: model.artifactUri, ...(trigger !== null && { trigger }) },
    ...(execution !== null && { MetadataProperties: { GeneratedBy: execution.arn } }),
  };
}

function sourcesOf({ data, evaluation, code }: Document): Source[] {
  const sources: Source[] = [];
  if (data !== null) {
    sources.push({
      edge: "ContributedTo",
      artifact: {
        ArtifactType: "DataSet",
        Source: sourceVersion(data.manifest),
        Properties: { objects: String(data.objects.length), sha256: data.manifest.sha256 },
      },
    });
  }
  for (const { image, digest } of code.images) {
    if (digest === null) continue;
    const SourceUri = `${image.replace(/(:[^/:@]+)?(@.+)?$/, "")}@${digest}`;
    sources.push({
      edge: "ContributedTo",
      artifact: { ArtifactType: "Image", Source: { SourceUri }, Properties: { image } },
    });
  }
  if (evaluation !== null) {
    const metrics = Object.entries(evaluation.metrics).slice(0, MAX_PROPERTIES);
    sources.push({
      edge: "AssociatedWith",
      artifact: {
        ArtifactType: "Evaluation",
        Source: sourceVersion(evaluation),
        Properties: Object.fromEntries(metrics.map(([name, value]) => [name, String(value)])),
      },
    });
  }
  return sources;
}

/** Of an artifact; https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateArtifact.html. */
const MAX_PROPERTIES = 30;

const sourceVersion = (object: { bucket: string; key: string; versionId: string }) => ({
  SourceUri: s3Uri(object),
  SourceTypes: [{ SourceIdType: "S3Version" as const, Value: object.versionId }],
});
