import { wideningResources } from "./access-widening.ts";
import type { ApprovalReason } from "./protocol.ts";

export type Properties = Readonly<Record<string, unknown>>;

/** A resource that a plan would change, with its inputs as they are and as they would be. */
export interface PlannedResource {
  readonly action: string;
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly awsId?: string;
  /** Undefined: it doesn't exist. */
  readonly before?: Properties;
  /** Undefined: it would be gone. */
  readonly after?: Properties;
}

/** Types that hold data, or without which data can't be read any more. */
const holdingData: ReadonlySet<string> = new Set([
  "aws:backup/vault:Vault",
  "aws:cloudtrail/eventDataStore:EventDataStore",
  "aws:dynamodb/table:Table",
  "aws:ecr/repository:Repository",
  "aws:efs/fileSystem:FileSystem",
  "aws:glue/catalogDatabase:CatalogDatabase",
  "aws:glue/catalogTable:CatalogTable",
  "aws:kms/key:Key",
  "aws:kms/replicaKey:ReplicaKey",
  "aws:s3/bucket:Bucket",
  "aws:sagemaker/featureGroup:FeatureGroup",
  "aws:sagemaker/mlflowApp:MlflowApp",
  "aws:sagemaker/mlflowTrackingServer:MlflowTrackingServer",
  "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
  "aws:sagemaker/notebookInstance:NotebookInstance",
  "aws:secretsmanager/secret:Secret",
]);

/**
 * Why somebody has to approve a plan, whatever the spec says. `firstCreation`: nothing of it was ever applied, so that the roles
 * which it makes are no more than what was asked for.
 */
export function reasonsOf(
  plan: readonly PlannedResource[],
  { firstCreation }: { readonly firstCreation: boolean },
): ApprovalReason[] {
  const lost = plan.filter(
    ({ type, action }) => holdingData.has(type) && (action === "delete" || action === "replace"),
  );
  const widened = firstCreation ? [] : wideningResources(plan);
  return [
    ...(lost.length > 0 ? [reason("data_loss", "What these resources hold would be deleted", lost)] : []),
    ...(widened.length > 0
      ? [reason("iam_widening", "These resources would allow more than they do now", widened)]
      : []),
  ];
}

function reason(
  code: ApprovalReason["code"],
  message: string,
  resources: readonly PlannedResource[],
): ApprovalReason {
  return { code, message, resources: resources.map(({ urn, type, name }) => ({ urn, type, name })) };
}
