import type { FoundationOutputs } from "./foundation-outputs.ts";
import type { Profile } from "./profiles.ts";
import type { Release } from "./release.ts";
import type { Adopted } from "./singletons.ts";
import type { PipelineSpec } from "./spec.ts";

export type { FoundationOutputs, NetworkOutputs } from "./foundation-outputs.ts";
export type { Release } from "./release.ts";

/** An AWS account and region as programs see it. */
export interface AwsAccount {
  readonly accountId: string;
  readonly region: string;
  /** The role whose session the ambient credentials are, where there is one: what may change what others may not. */
  readonly roleArn?: string;
}

/**
 * What a destroy does to what holds data. `retain` leaves buckets (with all their protections), keys and model
 * packages in the account and in the stack; `delete` empties and removes them.
 */
export type DataOnDestroy = "retain" | "delete";

export interface FoundationInput {
  readonly account: AwsAccount;
  /** `learning` unless given. `production` adds private subnets, interface endpoints and the security services. */
  readonly profile?: Profile;
  /** Security Hub, GuardDuty and Access Analyzer in the profile `learning`; `production` always has them. */
  readonly securityServices?: boolean;
  /** Address range of the shared network; 10.64.0.0/16 unless given. It can't be changed later. */
  readonly cidr?: string;
  /** What was there first: used as it is and never owned. */
  readonly existing?: Adopted;
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
  /** Absent until a model was released. */
  readonly release?: Release;
  /** `retain` unless given. */
  readonly dataOnDestroy?: DataOnDestroy;
}
