import { CloudControlClient } from "@aws-sdk/client-cloudcontrol";
import {
  type AccountClients,
  awsClients,
  type ClientConfiguration,
  sandboxClients,
} from "../aws/account-clients.ts";
import { discoverySessionPolicy } from "../aws/session-policies.ts";

// An operation asks, and can wait for AWS.
const maxAttempts = 5;
const create = (configuration: ClientConfiguration) => new CloudControlClient(configuration);

/** Clients for AWS itself, which only look. */
export const awsCloudControlClients = (): AccountClients<CloudControlClient> =>
  awsClients(create, { sessionName: "aidlc-discovery", policy: discoverySessionPolicy(), maxAttempts });

/** Clients for the sandbox, which the service serves itself at `endpoint()` behind a token of its own. */
export const sandboxCloudControlClients = (
  endpoint: () => string,
  token: string,
): AccountClients<CloudControlClient> => sandboxClients(create, { endpoint, token, maxAttempts });
