import { fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import type { AwsAccount } from "../../programs/inputs.ts";

/** A client for one account; the target decides where it asks and as whom. */
export type AccountClients<Client> = (account: AwsAccount) => Client;

/** What the constructor of a client is given. */
export interface ClientConfiguration {
  readonly region: string;
  readonly maxAttempts: number;
  readonly endpoint?: string;
  readonly credentials?:
    | { readonly accessKeyId: string; readonly secretAccessKey: string }
    | ReturnType<typeof fromTemporaryCredentials>;
}

/** The part of a client by which the sandbox's identity gets into its requests. */
interface Signing {
  readonly middlewareStack: {
    add(
      middleware: (next: (args: never) => unknown) => (args: never) => unknown,
      options: { step: "finalizeRequest"; priority: "low"; name: string },
    ): void;
  };
}

/** Clients for AWS itself: they assume the account's role from the service's own identity, as the provider does. */
export function awsClients<Client>(
  create: (configuration: ClientConfiguration) => Client,
  options: { readonly sessionName: string; readonly maxAttempts: number },
): AccountClients<Client> {
  const { sessionName, maxAttempts } = options;
  return remembered(({ region, roleArn, externalId }) => {
    if (roleArn === undefined) return create({ region, maxAttempts });
    const params = {
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      ...(externalId === undefined ? {} : { ExternalId: externalId }),
    };
    const credentials = fromTemporaryCredentials({ params, clientConfig: { region } });
    return create({ region, maxAttempts, credentials });
  });
}

/** Clients for the sandbox, which the service serves itself at `endpoint()` behind the administrator's token. */
export function sandboxClients<Client extends Signing>(
  create: (configuration: ClientConfiguration) => Client,
  options: { readonly endpoint: () => string; readonly adminToken: string; readonly maxAttempts: number },
): AccountClients<Client> {
  const { endpoint, adminToken, maxAttempts } = options;
  return remembered(({ accountId, region }) => {
    const client = create({
      region,
      maxAttempts,
      endpoint: endpoint(),
      credentials: { accessKeyId: "sandbox", secretAccessKey: "sandbox" },
    });
    // AWS reads the account and region from the signature; here its place is taken by the token that every route asks for.
    client.middlewareStack.add(
      (next) => (args: { readonly request: { readonly headers: Record<string, string> } }) => {
        Object.assign(args.request.headers, {
          authorization: `Bearer ${adminToken}`,
          "x-aidlc-account": accountId,
          "x-aidlc-region": region,
        });
        return next(args as never);
      },
      { step: "finalizeRequest", priority: "low", name: "sandboxIdentity" },
    );
    return client;
  });
}

/** A client keeps connections and credentials, so each account's is made once. */
function remembered<Client>(create: (account: AwsAccount) => Client): AccountClients<Client> {
  const clients = new Map<string, Client>();
  return (account) => {
    const key = [account.accountId, account.region, account.roleArn, account.externalId].join("|");
    const client = clients.get(key) ?? create(account);
    clients.set(key, client);
    return client;
  };
}
