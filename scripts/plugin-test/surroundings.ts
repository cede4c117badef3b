import type { Example } from "../programs/example-specs.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where examples can be provisioned with the official plugin. */
export interface Surroundings {
  /** For people: `an emulator at http://127.0.0.1:5000` or `AWS account 123456789012`. */
  readonly where: string;
  readonly accountId: string;
  /** The role by which the service works there. */
  readonly roleArn: string;
  readonly region: string;
  /** A certificate of the account, for examples whose load balancer proves a name. */
  readonly certificateArn: string | undefined;
  /** What the service and the plugin see besides their own settings. */
  readonly aws: Readonly<Record<string, string>>;
}

// What moto answers with; LocalStack has 000000000000.
const emulatorAccount = "123456789012";
const emulatorRole = `arn:aws:iam::${emulatorAccount}:role/aidlc-provisioner`;
const emulatorKeys = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };

/** Reads the environment. Without an emulator or a named account there is nowhere to go, and a text says so. */
export function surroundings(environment: Environment): Surroundings | string {
  const endpoint = environment.AWS_ENDPOINT_URL;
  const named = environment.AIDLC_TEST_ACCOUNT;
  if (endpoint === undefined && named === undefined) {
    return "neither AWS_ENDPOINT_URL (moto, LocalStack) nor AIDLC_TEST_ACCOUNT (an AWS account number) is set";
  }
  const accountId = named ?? emulatorAccount;
  if (!/^\d{12}$/.test(accountId)) return `AIDLC_TEST_ACCOUNT="${accountId}" is no account number`;
  const roleArn = named === undefined ? emulatorRole : environment.AIDLC_TEST_ROLE_ARN;
  if (!roleArn) return "AIDLC_TEST_ROLE_ARN, the account's role for the service to assume, is not set";
  const given = Object.entries(environment).filter(([name]) => name.startsWith("AWS_"));
  const aws = Object.fromEntries(
    given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  return {
    where: endpoint === undefined ? `AWS account ${accountId}` : `an emulator at ${endpoint}`,
    accountId,
    roleArn,
    region: environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION ?? "eu-central-1",
    certificateArn: environment.AIDLC_TEST_CERTIFICATE_ARN,
    aws: endpoint === undefined ? aws : { ...emulatorKeys, ...aws },
  };
}

/** The example's text for these surroundings, or why it can't be run there. */
export function fitted(
  { text, spec }: Pick<Example, "text" | "spec">,
  { certificateArn, aws }: Pick<Surroundings, "certificateArn" | "aws">,
): { readonly text: string } | { readonly leftOut: string } {
  const placeholder = spec.serving.internalDomain?.certificateArn;
  if (placeholder === undefined) return { text };
  if (certificateArn !== undefined) return { text: text.replace(placeholder, certificateArn) };
  if (aws.AWS_ENDPOINT_URL !== undefined) return { text };
  return {
    leftOut: "its load balancer needs a certificate of the account: name one by AIDLC_TEST_CERTIFICATE_ARN",
  };
}
