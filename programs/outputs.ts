import type { Severity } from "./components/pipeline-alerts.ts";
import type { Drill } from "./drills.ts";
import type { FunctionName } from "./functions/index.ts";
import type { NetworkOutputs } from "./inputs.ts";
import type { BucketKind, KeyPurpose, RepositoryKind } from "./names.ts";
import type { Irreplaceable } from "./recovery.ts";
import type { PipelineRole } from "./roles/index.ts";
import type { ServingOutputs } from "./serving/serving-outputs.ts";

/** What a pipeline's stack tells: everything that status, releases and handlers need. Plain JSON. */
export interface PipelineOutputs {
  readonly accountId: string;
  readonly region: string;
  readonly buckets: Readonly<Record<BucketKind, { readonly name: string; readonly arn: string }>>;
  readonly keys: Readonly<Record<KeyPurpose, { readonly arn: string; readonly alias: string }>>;
  /** ARNs of the roles that this pipeline has. */
  readonly roles: Readonly<Partial<Record<PipelineRole, string>>>;
  /** The functions that this pipeline has. */
  readonly functions: Readonly<
    Partial<Record<FunctionName, { readonly name: string; readonly arn: string }>>
  >;
  readonly ingestion: {
    readonly queue: { readonly arn: string; readonly url: string };
    /** Where messages wait that no function could work on. */
    readonly unprocessed: { readonly arn: string; readonly url: string };
  };
  readonly catalog: {
    readonly databaseName: string;
    readonly acceptedTableName: string;
    readonly compactionJobName: string;
    readonly crawlerName: string;
  };
  readonly secretArn: string;
  /** Only with `dataset.featureStore`. */
  readonly featureGroup?: { readonly name: string; readonly arn: string };
  readonly repositories: Readonly<Record<RepositoryKind, { readonly url: string; readonly arn: string }>>;
  readonly training: {
    readonly pipelineName: string;
    readonly pipelineArn: string;
    readonly modelPackageGroupName: string;
    readonly modelPackageGroupArn: string;
    /** Default of the execution parameter `InputManifest`. */
    readonly inputManifestUri: string;
  };
  readonly delivery: {
    readonly pipelineName: string;
    /** A source bundle that arrives here is scanned, built, tested and, once approved, trained with. */
    readonly sourceUri: string;
    readonly releaseMachineArn: string;
    /** The MLflow App: a tracking URI for the MLflow client. */
    readonly experimentsArn: string;
    /** Where the recorded release is: `current.json`. */
    readonly releasesUri: string;
    /** Only with `notebook`. */
    readonly notebookName?: string;
  };
  readonly serving: ServingOutputs;
  readonly network: NetworkOutputs & { readonly jobSecurityGroupId: string };
  /** Only where the spec names a replica region. */
  readonly recovery?: {
    readonly region: string;
    readonly replicas: Readonly<Record<Irreplaceable, { readonly name: string; readonly arn: string }>>;
    readonly replicaKeyArn: string;
    readonly vaultArn: string;
  };
  /** Only in the profile `production`. */
  readonly incidents?: {
    readonly topicArn: string;
    readonly responderArn: string;
    /** Runbooks of AWS Systems Manager, by what they do. */
    readonly runbooks: Readonly<Record<"revoke" | "disable", string>>;
  };
  /** Experiment templates, by drill; only in the profile `production`. */
  readonly drills?: Readonly<Record<Drill, string>>;
  readonly topics: Readonly<Record<Severity, string>>;
  readonly deadLetterQueue: { readonly arn: string; readonly url: string };
  readonly logGroupPrefix: string;
  readonly metricNamespace: string;
  readonly parameterPrefix: string;
  readonly dashboard: { readonly name: string; readonly url: string };
  readonly alarmArns: readonly string[];
  readonly budgetName: string;
}
