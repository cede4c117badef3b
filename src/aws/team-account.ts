import type { AwsAccount } from "../../programs/inputs.ts";

/** An account of a team, with what the service needs to get into it and programs don't. */
export interface TeamAccount {
  readonly team: string;
  readonly name: string;
  readonly aws: AwsAccount;
  /** The team's, chosen by the service: no team can have the service use a role that trusts it for another one. */
  readonly externalId: string;
}
