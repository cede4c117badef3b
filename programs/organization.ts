import * as aws from "@pulumi/aws";
import type { AwsAccount } from "./inputs.ts";
import { type Guardrails, guardrails } from "./organization-policies.ts";
import { accountProvider } from "./provider.ts";
import { TAG } from "./tags.ts";

export interface OrganizationInput extends Guardrails {
  /** The organization's management account. */
  readonly account: AwsAccount;
  /** Roots, organizational units and accounts that the guardrails hold for. */
  readonly targets: readonly string[];
}

const TARGET = /^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|\d{12})$/;

/**
 * The inline program of the organization's guardrails: what no administrator of a member account can do either. The policy type
 * must be enabled in the organization's root. Its outputs are the policies' ids.
 */
export function organizationProgram(input: OrganizationInput): () => Promise<Record<string, unknown>> {
  return async () => {
    const { account, targets } = input;
    const wrong = targets.filter((target) => !TARGET.test(target));
    if (targets.length === 0 || wrong.length > 0) {
      throw new Error(
        `Targets must be roots (r-…), organizational units (ou-…) or accounts, not ${wrong.join(", ") || "none"}`,
      );
    }
    const tags = { [TAG.managedBy]: "aidlc", [TAG.foundation]: "organization" };
    const provider = accountProvider(account, tags);
    const policyIds = Object.entries(guardrails(input)).map(([name, { description, content }]) => {
      const policy = new aws.organizations.Policy(
        name,
        { name: `aidlc-${name}`, description, type: "SERVICE_CONTROL_POLICY", content },
        { provider },
      );
      for (const targetId of targets) {
        new aws.organizations.PolicyAttachment(
          `${name}-${targetId}`,
          { policyId: policy.id, targetId },
          { provider },
        );
      }
      return [name, policy.id] as const;
    });
    return { policyIds: Object.fromEntries(policyIds) };
  };
}
