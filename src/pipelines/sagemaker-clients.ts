import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import { fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import type { SageMakerClients } from "./sagemaker.ts";

const maxAttempts = 2;

/** Clients for AWS itself: they assume the account's role from the service's own identity, as the provider does. */
export function awsSageMakerClients(): SageMakerClients {
  const clients = new Map<string, SageMakerClient>();
  return ({ accountId, region, roleArn, externalId }) => {
    const key = [accountId, region, roleArn, externalId].join("|");
    const existing = clients.get(key);
    if (existing) return existing;
    const params = {
      RoleArn: roleArn ?? "",
      RoleSessionName: "aidlc-status",
      ...(externalId === undefined ? {} : { ExternalId: externalId }),
    };
    const client = new SageMakerClient({
      region,
      maxAttempts,
      ...(roleArn === undefined
        ? {}
        : { credentials: fromTemporaryCredentials({ params, clientConfig: { region } }) }),
    });
    clients.set(key, client);
    return client;
  };
}

/** Clients for the sandbox, which the service serves itself at `endpoint()` behind the administrator's token. */
export function sandboxSageMakerClients(endpoint: () => string, adminToken: string): SageMakerClients {
  const clients = new Map<string, SageMakerClient>();
  return ({ accountId, region }) => {
    const key = `${accountId}|${region}`;
    const existing = clients.get(key);
    if (existing) return existing;
    const client = new SageMakerClient({
      region,
      maxAttempts,
      endpoint: endpoint(),
      credentials: { accessKeyId: "sandbox", secretAccessKey: "sandbox" },
    });
    // AWS reads the account and region from the signature; here its place is taken by the token that every route asks for.
    client.middlewareStack.add(
      (next) => (args) => {
        Object.assign((args.request as { headers: Record<string, string> }).headers, {
          authorization: `Bearer ${adminToken}`,
          "x-aidlc-account": accountId,
          "x-aidlc-region": region,
        });
        return next(args);
      },
      { step: "finalizeRequest", priority: "low", name: "sandboxIdentity" },
    );
    clients.set(key, client);
    return client;
  };
}
