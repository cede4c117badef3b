import type { Arns } from "../arns.ts";
import type { AwsAccount, DataOnDestroy } from "../inputs.ts";
import type { foundationNames } from "../names.ts";
import type { Profile } from "../profiles.ts";
import type { Adopted } from "../singletons.ts";

/** What every phase of the foundation works from. */
export interface AccountSetting {
  readonly account: AwsAccount;
  readonly names: ReturnType<typeof foundationNames>;
  readonly arns: Arns;
  readonly dataOnDestroy: DataOnDestroy;
  readonly profile: Profile;
  /** Whether Security Hub, GuardDuty and Access Analyzer are wanted. */
  readonly securityServices: boolean;
  readonly existing: Adopted;
}
