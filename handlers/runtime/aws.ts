import { type AwsCall, awsCalls } from "./aws-calls.ts";
import type { Environment } from "./environment.ts";

/** What the clients of all services have in common, as far as it is used here. */
interface AwsClient {
  readonly config: { readonly serviceId?: string };
  readonly middlewareStack: {
    add(
      middleware: (
        next: (args: never) => unknown,
        context: { commandName?: string },
      ) => (args: never) => unknown,
      options: { step: "initialize"; name: string },
    ): void;
  };
}

interface ClientSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly forcePathStyle?: boolean;
  readonly retryMode: "adaptive" | "standard";
  readonly maxAttempts: number;
}

/**
 * A client of one service, for the function's region or, where `AWS_ENDPOINT_URL` is set, for the emulator there. Make it
 * once, at cold start: its connections are kept.
 */
export function awsClient<Client>(Kind: new (settings: ClientSettings) => Client, env: Environment): Client {
  const endpoint = env.AWS_ENDPOINT_URL;
  const client = new Kind({
    region: env.AWS_REGION ?? "us-east-1",
    retryMode: "standard",
    maxAttempts: 5,
    // Emulators have no host for each bucket.
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
  });
  const { config, middlewareStack } = client as unknown as AwsClient;
  middlewareStack.add(
    (next, { commandName = "" }) =>
      (args: { readonly input: AwsCall["input"] }) => {
        if (awsCalls.hasSubscribers) {
          const operation = commandName.replace(/Command$/, "");
          awsCalls.publish({
            service: config.serviceId ?? "",
            operation,
            input: args.input,
          } satisfies AwsCall);
        }
        return next(args as never);
      },
    { step: "initialize", name: "tellAwsCall" },
  );
  return client;
}
