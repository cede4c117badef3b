import type * as pulumi from "@pulumi/pulumi";
import { arnsIn } from "./arns.ts";
import type { FoundationInput, FoundationOutputs } from "./inputs.ts";
import { foundationNames } from "./names.ts";
import { AccountArchitecture } from "./phases/account-architecture.ts";
import { AccountCompliance } from "./phases/account-compliance.ts";
import { AccountInfrastructure } from "./phases/account-infrastructure.ts";
import { accountProvider } from "./provider.ts";
import { foundationTags } from "./tags.ts";

export type { FoundationInput, FoundationOutputs } from "./inputs.ts";

/** Address range of the shared network where an account names none. */
export const DEFAULT_CIDR = "10.64.0.0/16";

/**
 * The inline program of an account's foundation: what AWS has once per account and region, and what all pipelines of
 * the account share. Its outputs are `FoundationOutputs`.
 */
export function foundationProgram(input: FoundationInput): () => Promise<Record<string, unknown>> {
  return async () => {
    const { account, profile = "learning" } = input;
    const provider = accountProvider(account, foundationTags(account));
    const setting = {
      account,
      names: foundationNames(account),
      arns: arnsIn(account),
      dataOnDestroy: input.dataOnDestroy ?? "retain",
      profile,
      securityServices: profile === "production" || input.securityServices === true,
      existing: input.existing ?? {},
    };
    const compliance = new AccountCompliance(setting, { provider });
    const infrastructure = new AccountInfrastructure(
      { ...setting, logsKeyArn: compliance.keyArn, accessLogs: compliance.accessLogs },
      { provider },
    );
    const architecture = new AccountArchitecture(
      { ...setting, cidr: input.cidr ?? DEFAULT_CIDR, flowLogDestination: compliance.flowLogDestination },
      { provider },
    );
    return {
      accountId: account.accountId,
      region: account.region,
      profile,
      network: architecture.network.outputs(),
      permissionsBoundaryArn: infrastructure.boundaryArn,
      trailArn: compliance.trailArn,
      auditBucket: compliance.auditBucket,
      auditKeyArn: compliance.keyArn,
      artifacts: infrastructure.artifacts,
      dataLayerArn: infrastructure.dataLayerArn,
      jobLogGroups: infrastructure.jobLogGroups,
    } satisfies { [Key in keyof FoundationOutputs]: pulumi.Input<FoundationOutputs[Key]> };
  };
}
