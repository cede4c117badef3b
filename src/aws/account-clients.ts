import { type CredentialSource, teamSession } from "./role-session.ts";
import type { TeamAccount } from "./team-account.ts";

/** A client for one account; the target decides where it asks and as whom. */
export type AccountClients<Client> = (account: TeamAccount) => Client;

/** What the constructor of a client is given. */
export interface ClientConfiguration {
  readonly region: string;
  readonly maxAttempts: number;
  readonly endpoint?: string;
  readonly credentials?:
    | { readonly accessKeyId: string; readonly secretAccessKey: string }
    | CredentialSource;
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

/** Clients for AWS itself, each in a session of its account's role that `policy` limits; they throw as `teamSession` does. */
export function awsClients<Client>(
  create: (configuration: ClientConfiguration) => Client,
  options: { readonly sessionName: string; readonly policy: string; readonly maxAttempts: number },
): AccountClients<Client> {
  const { sessionName: name, policy, maxAttempts } = options;
  return remembered((account) => {
    const { team, name: accountName, aws } = account;
    const credentials = teamSession(account, { name, policy, tags: { team, account: accountName } });
    return create({ region: aws.region, maxAttempts, credentials });
  });
}

/** Clients for the sandbox, which the service serves itself at `endpoint()` behind a token of its own. */
export function sandboxClients<Client extends Signing>(
  create: (configuration: ClientConfiguration) => Client,
  options: { readonly endpoint: () => string; readonly token: string; readonly maxAttempts: number },
): AccountClients<Client> {
  const { endpoint, token, maxAttempts } = options;
  return remembered(({ aws: { accountId, region } }) => {
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
          authorization: `Bearer ${token}`,
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
function remembered<Client>(create: (account: TeamAccount) => Client): AccountClients<Client> {
  const clients = new Map<string, Client>();
  return (account) => {
    const { team, name, aws, externalId } = account;
    const key = [team, name, aws.accountId, aws.region, aws.roleArn, externalId].join("|");
    const client = clients.get(key) ?? create(account);
    clients.set(key, client);
    return client;
  };
}
