import type { Arns } from "../arns.ts";
import type { AwsAccount, DataOnDestroy, FoundationInput } from "../inputs.ts";
import type { foundationNames } from "../names.ts";

/** What every phase of the foundation works from. */
export interface AccountSetting {
  readonly account: AwsAccount;
  readonly names: ReturnType<typeof foundationNames>;
  readonly arns: Arns;
  readonly dataOnDestroy: DataOnDestroy;
  readonly existing: NonNullable<FoundationInput["existing"]>;
}
