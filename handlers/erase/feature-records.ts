import { DescribeFeatureGroupCommand, SageMakerClient } from "@aws-sdk/client-sagemaker";
import {
  DeleteRecordCommand,
  SageMakerFeatureStoreRuntimeClient,
} from "@aws-sdk/client-sagemaker-featurestore-runtime";
import { awsClient } from "../runtime/aws.ts";
import type { Environment } from "../runtime/environment.ts";

/** Records of the online store by their identifiers. */
export interface FeatureRecords {
  /** The column that identifies a record. */
  readonly recordIdentifier: string;
  /** Idempotent: a record that is not there is deleted again. Returns false where the group keeps none online. */
  erase(identifier: string, now: Date): Promise<boolean>;
}

/**
 * The feature group's records. Only the online store is asked to delete: asked for the offline store, too, AWS would append a marker
 * that names the record for ever, and the files of the offline store are searched and rewritten like all others
 * (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_feature_store_DeleteRecord.html).
 */
export function featureRecords(env: Environment, group: string, recordIdentifier: string): FeatureRecords {
  const sageMaker = awsClient(SageMakerClient, env);
  const runtime = awsClient(SageMakerFeatureStoreRuntimeClient, env);
  let described: Promise<{ online: boolean; eventTimeIsText: boolean }> | undefined;
  const describe = async () => {
    const found = await sageMaker.send(new DescribeFeatureGroupCommand({ FeatureGroupName: group }));
    const eventTime = found.FeatureDefinitions?.find(
      ({ FeatureName }) => FeatureName === found.EventTimeFeatureName,
    );
    return {
      online: found.OnlineStoreConfig?.EnableOnlineStore === true,
      eventTimeIsText: eventTime?.FeatureType === "String",
    };
  };
  return {
    recordIdentifier,
    erase: async (identifier, now) => {
      described ??= describe();
      const { online, eventTimeIsText } = await described;
      if (!online) return false;
      await runtime.send(
        new DeleteRecordCommand({
          FeatureGroupName: group,
          RecordIdentifierValueAsString: identifier,
          // Must be later than the record's own.
          EventTime: eventTimeIsText
            ? `${now.toISOString().slice(0, 19)}Z`
            : (now.getTime() / 1000).toFixed(3),
          TargetStores: ["OnlineStore"],
          DeletionMode: "HardDelete",
        }),
      );
      return true;
    },
  };
}
