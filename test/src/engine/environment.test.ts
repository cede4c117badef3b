import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { childEnvironment } from "../../../src/engine/environment.ts";

const passing = [
  "PATH",
  "LANG",
  "LC_ALL",
  "TZ",
  "HTTPS_PROXY",
  "http_proxy",
  "NO_PROXY",
  "SSL_CERT_FILE",
  "NODE_EXTRA_CA_CERTS",
  "AWS_REGION",
  "AWS_ENDPOINT_URL",
  "AWS_ENDPOINT_URL_S3",
  "AWS_CA_BUNDLE",
];

/** By which AWS's SDKs find an identity, https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html */
const identities = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_SECURITY_TOKEN",
  "AWS_PROFILE",
  "AWS_DEFAULT_PROFILE",
  "AWS_CONFIG_FILE",
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_ROLE_ARN",
  "AWS_ROLE_SESSION_NAME",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
  "AWS_EC2_METADATA_SERVICE_ENDPOINT",
];

const stopped = [
  ...identities,
  "AZURE_CLIENT_ID",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "AIDLC_STATE_ROLE_ARN",
  "AIDLC_BOOTSTRAP_TOKEN",
  "AIDLC_STATE_PASSPHRASE",
  "AIDLC_RUNNER",
  "DATABASE_URL",
  "PGPASSWORD",
  "PULUMI_ACCESS_TOKEN",
  "PULUMI_BACKEND_URL",
  "PULUMI_CONFIG_PASSPHRASE",
  "PULUMI_OPTION_REFRESH",
  "PULUMI_DEBUG_PROVIDERS",
  "NODE_OPTIONS",
  "LD_PRELOAD",
  "HOME",
  "aws_region",
  "XAWS_REGION",
  "PATH_OF_SECRETS",
  "AWS_",
];

const file = "file:///var/lib/aidlc/state";
/** Without what every child gets. */
const passed = (environment: Record<string, string | undefined>, backendUrl = file) => {
  const { AWS_EC2_METADATA_DISABLED: disabled, ...rest } = childEnvironment(environment, backendUrl);
  expect(disabled).toBe("true");
  return rest;
};

describe("childEnvironment", () => {
  it.each(passing)("passes %s on", (name) => {
    expect(passed({ [name]: "value" })).toEqual({ [name]: "value" });
  });

  it.each(stopped)("keeps %s from children", (name) => {
    expect(passed({ [name]: "value" })).toEqual({});
  });

  it.each([
    ["azblob://states", { AZURE_STORAGE_KEY: "a" }],
    ["gs://states", { GOOGLE_CREDENTIALS: "g" }],
    ["s3://states", {}],
    ["postgres://db/states", {}],
  ])("passes an identity outside of AWS on only to the backend that needs it: %s", (backendUrl, expected) => {
    const all = { AZURE_STORAGE_KEY: "a", GOOGLE_CREDENTIALS: "g", AWS_SECRET_ACCESS_KEY: "s" };
    expect(passed(all, backendUrl)).toEqual(expected);
  });

  it("keeps children from asking the machine for its role, whatever the service was told", () => {
    expect(childEnvironment({ AWS_EC2_METADATA_DISABLED: "false" }, file)).toEqual({
      AWS_EC2_METADATA_DISABLED: "true",
    });
  });

  it("lets no name pass that steers the engine or this service, whatever follows the prefix", () => {
    const prefix = fc.constantFrom("PULUMI_", "AIDLC_", "NODE_OPTIONS", "LD_", "PG");
    fc.assert(
      fc.property(prefix, fc.string(), (start, end) => {
        expect(passed({ [`${start}${end}`]: "value" })).toEqual({});
      }),
    );
  });

  it("lets no name pass that hides a second line", () => {
    expect(passed({ "AWS_REGION\nPULUMI_OPTION_X": "1", "PATH\n": "2" })).toEqual({});
  });

  it("leaves out what is not set", () => {
    expect(passed({ PATH: undefined })).toEqual({});
  });
});
