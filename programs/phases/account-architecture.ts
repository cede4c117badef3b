import type * as pulumi from "@pulumi/pulumi";
import { Network } from "../components/network.ts";
import type { AccountSetting } from "./account-setting.ts";
import { Phase } from "./phase.ts";

export interface AccountArchitectureArgs extends AccountSetting {
  readonly cidr: string;
  readonly flowLogDestination: pulumi.Input<string>;
}

/** The network that the account's pipelines share. */
export class AccountArchitecture extends Phase {
  readonly network: Network;

  constructor(args: AccountArchitectureArgs, opts: pulumi.ComponentResourceOptions) {
    super("architecture", opts);
    this.network = new Network(
      "network",
      {
        name: args.names.network,
        cidr: args.cidr,
        region: args.account.region,
        accountId: args.account.accountId,
        flowLogDestination: args.flowLogDestination,
        isPrivate: args.profile === "production",
        tags: this.tags,
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
