import type { Severity } from "./components/pipeline-alerts.ts";
import type { NetworkOutputs } from "./inputs.ts";
import type { BucketKind, KeyPurpose, LogGroupKind, PipelineRole, RepositoryKind } from "./names.ts";

/** What a pipeline's stack tells: everything that status, releases and handlers need. Plain JSON. */
export interface PipelineOutputs {
  readonly accountId: string;
  readonly region: string;
  readonly buckets: Readonly<Record<BucketKind, { readonly name: string; readonly arn: string }>>;
  readonly keys: Readonly<Record<KeyPurpose, { readonly arn: string; readonly alias: string }>>;
  /** ARNs; `schedule` only with a training schedule. */
  readonly roles: Readonly<Record<Exclude<PipelineRole, "schedule">, string>> & {
    readonly schedule?: string;
  };
  readonly repositories: Readonly<Record<RepositoryKind, { readonly url: string; readonly arn: string }>>;
  readonly training: {
    readonly pipelineName: string;
    readonly pipelineArn: string;
    readonly modelPackageGroupName: string;
    readonly modelPackageGroupArn: string;
    /** Default of the execution parameter `InputManifest`. */
    readonly inputManifestUri: string;
  };
  readonly network: NetworkOutputs & { readonly jobSecurityGroupId: string };
  readonly topics: Readonly<Record<Severity, string>>;
  readonly deadLetterQueue: { readonly arn: string; readonly url: string };
  readonly logGroups: Readonly<Record<LogGroupKind, string>>;
  readonly metricNamespace: string;
  readonly parameterPrefix: string;
  readonly dashboard: { readonly name: string; readonly url: string };
  readonly alarmArns: readonly string[];
  readonly budgetName: string;
}
