import { CloudControlClient } from "@aws-sdk/client-cloudcontrol";
import {
  type AccountClients,
  awsClients,
  type ClientConfiguration,
  sandboxClients,
} from "../aws/account-clients.ts";

// An operation asks, and can wait for AWS.
const maxAttempts = 5;
const create = (configuration: ClientConfiguration) => new CloudControlClient(configuration);

/** Clients for AWS itself: they assume the account's role from the service's own identity, as the provider does. */
export const awsCloudControlClients = (): AccountClients<CloudControlClient> =>
  awsClients(create, { sessionName: "aidlc-foundation", maxAttempts });

/** Clients for the sandbox, which the service serves itself at `endpoint()` behind the administrator's token. */
export const sandboxCloudControlClients = (
  endpoint: () => string,
  adminToken: string,
): AccountClients<CloudControlClient> => sandboxClients(create, { endpoint, adminToken, maxAttempts });
