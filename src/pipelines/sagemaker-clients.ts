import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import { awsClients, type ClientConfiguration, sandboxClients } from "../aws/account-clients.ts";
import type { SageMakerClients } from "./sagemaker.ts";

// Someone waits for the status.
const maxAttempts = 2;
const create = (configuration: ClientConfiguration) => new SageMakerClient(configuration);

/** Clients for AWS itself: they assume the account's role from the service's own identity, as the provider does. */
export const awsSageMakerClients = (): SageMakerClients =>
  awsClients(create, { sessionName: "aidlc-status", maxAttempts });

/** Clients for the sandbox, which the service serves itself at `endpoint()` behind the administrator's token. */
export const sandboxSageMakerClients = (endpoint: () => string, adminToken: string): SageMakerClients =>
  sandboxClients(create, { endpoint, adminToken, maxAttempts });
