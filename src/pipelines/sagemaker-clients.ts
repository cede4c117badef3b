import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import { awsClients, type ClientConfiguration, sandboxClients } from "../aws/account-clients.ts";
import { statusSessionPolicy } from "../aws/session-policies.ts";
import type { SageMakerClients } from "./sagemaker.ts";

// Someone waits for the status.
const maxAttempts = 2;
const create = (configuration: ClientConfiguration) => new SageMakerClient(configuration);

/** Clients for AWS itself, which only look. */
export const awsSageMakerClients = (): SageMakerClients =>
  awsClients(create, { sessionName: "aidlc-status", policy: statusSessionPolicy(), maxAttempts });

/** Clients for the sandbox, which the service serves itself at `endpoint()` behind a token of its own. */
export const sandboxSageMakerClients = (endpoint: () => string, token: string): SageMakerClients =>
  sandboxClients(create, { endpoint, token, maxAttempts });
