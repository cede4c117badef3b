import type { FoundationOutputs } from "./foundation-outputs.ts";
import type { PipelineSpec } from "./spec.ts";

export type { FoundationOutputs, NetworkOutputs } from "./foundation-outputs.ts";

/** An AWS account and region as programs see it. Without `roleArn` the ambient credentials are used as they are. */
export interface AwsAccount {
  readonly accountId: string;
  readonly region: string;
  readonly roleArn?: string;
  readonly externalId?: string;
}

/**
 * What a destroy does to what holds data. `retain` leaves buckets (with all their protections), keys and model
 * packages in the account and in the stack; `delete` empties and removes them.
 */
export type DataOnDestroy = "retain" | "delete";

export interface FoundationInput {
  readonly account: AwsAccount;
  /** Address range of the shared network; 10.64.0.0/16 unless given. It can't be changed later. */
  readonly cidr?: string;
  /** Account-wide singletons that were there first: they are used as they are and never owned. */
  readonly existing?: {
    /** An all-region trail that already records management events and S3 data events. */
    readonly trailArn?: string;
    /** The log groups that SageMaker shares between all jobs of an account. */
    readonly sageMakerLogGroups?: boolean;
  };
  /** Account hardening and audit logs; `retain` unless given. */
  readonly dataOnDestroy?: DataOnDestroy;
}

export interface PipelineInput {
  readonly team: string;
  readonly pipeline: string;
  /** Defaults filled, `specProblems` empty. */
  readonly spec: PipelineSpec;
  readonly account: AwsAccount;
  readonly foundation: FoundationOutputs;
  /** `retain` unless given. */
  readonly dataOnDestroy?: DataOnDestroy;
}
