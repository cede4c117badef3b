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
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AZURE_CLIENT_ID",
  "GOOGLE_APPLICATION_CREDENTIALS",
];

const stopped = [
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

describe("childEnvironment", () => {
  it.each(passing)("passes %s on", (name) => {
    expect(childEnvironment({ [name]: "value" })).toEqual({ [name]: "value" });
  });

  it.each(stopped)("keeps %s from children", (name) => {
    expect(childEnvironment({ [name]: "value" })).toEqual({});
  });

  it("lets no name pass that steers the engine or this service, whatever follows the prefix", () => {
    const prefix = fc.constantFrom("PULUMI_", "AIDLC_", "NODE_OPTIONS", "LD_", "PG");
    fc.assert(
      fc.property(prefix, fc.string(), (start, end) => {
        expect(childEnvironment({ [`${start}${end}`]: "value" })).toEqual({});
      }),
    );
  });

  it("lets no name pass that hides a second line", () => {
    expect(childEnvironment({ "AWS_REGION\nPULUMI_OPTION_X": "1", "PATH\n": "2" })).toEqual({});
  });

  it("leaves out what is not set", () => {
    expect(childEnvironment({ PATH: undefined })).toEqual({});
  });
});
