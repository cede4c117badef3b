import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import { awsClients, type ClientConfiguration, sandboxClients } from "../aws/account-clients.ts";
import { quiesceSessionPolicy } from "../aws/session-policies.ts";
import type { TeamAccount } from "../aws/team-account.ts";

/** A client that may end what is one pipeline's. */
export type QuiesceClients = (account: TeamAccount, pipeline: string) => SageMakerClient;

// A teardown can wait for AWS.
const maxAttempts = 8;
const create = (configuration: ClientConfiguration) => new SageMakerClient(configuration);

/** Clients for AWS itself. */
export const awsQuiesceClients = (): QuiesceClients => (account, pipeline) =>
  awsClients(create, {
    sessionName: "aidlc-teardown",
    policy: quiesceSessionPolicy({ account: account.aws, team: account.team, pipeline }),
    maxAttempts,
  })(account);

/** Clients for the sandbox, which the service serves itself at `endpoint()` behind a token of its own. */
export function sandboxQuiesceClients(endpoint: () => string, token: string): QuiesceClients {
  const clients = sandboxClients(create, { endpoint, token, maxAttempts });
  return (account) => clients(account);
}
