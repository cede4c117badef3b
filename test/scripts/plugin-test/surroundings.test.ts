import { describe, expect, it } from "vitest";
import { fitted, type Surroundings, surroundings } from "../../../scripts/plugin-test/surroundings.ts";
import { exampleSpecs } from "../../../scripts/programs/example-specs.ts";

describe("the surroundings of the official plugin", () => {
  it("are none where neither an emulator nor an account is named, whatever credentials there are", () => {
    expect(surroundings({ AWS_ACCESS_KEY_ID: "AKIA", AWS_REGION: "eu-west-1" })).toMatch(/^neither /);
  });

  it("are an emulator, which takes any keys and has moto's account", () => {
    expect(surroundings({ AWS_ENDPOINT_URL: "http://127.0.0.1:5000", HOME: "/root" })).toEqual({
      where: "an emulator at http://127.0.0.1:5000",
      accountId: "123456789012",
      roleArn: "arn:aws:iam::123456789012:role/aidlc-provisioner",
      region: "eu-central-1",
      certificateArn: undefined,
      aws: {
        AWS_ENDPOINT_URL: "http://127.0.0.1:5000",
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
      },
    });
  });

  it("are an account with its own credentials and region", () => {
    const aws = { AWS_PROFILE: "sandbox", AWS_REGION: "eu-west-1" };
    const roleArn = "arn:aws:iam::111122223333:role/test";
    const named = { AIDLC_TEST_ACCOUNT: "111122223333", AIDLC_TEST_ROLE_ARN: roleArn };
    expect(surroundings({ ...aws, ...named })).toMatchObject({
      where: "AWS account 111122223333",
      roleArn,
      region: "eu-west-1",
      aws,
    });
  });

  it("are none in an account without a role, which the service would not register", () => {
    expect(surroundings({ AIDLC_TEST_ACCOUNT: "111122223333" })).toMatch(/^AIDLC_TEST_ROLE_ARN/);
  });

  it("are none where the account is no number", () => {
    expect(surroundings({ AIDLC_TEST_ACCOUNT: "main" })).toBe(
      'AIDLC_TEST_ACCOUNT="main" is no account number',
    );
  });
});

describe("an example", () => {
  const example = exampleSpecs().find(({ spec }) => spec.serving.mode === "ecs")!;
  const plain = exampleSpecs().find(({ spec }) => spec.serving.mode === "serverless")!;
  const around = (change: Partial<Surroundings>) => ({ certificateArn: undefined, aws: {}, ...change });

  it("is left out of an account that has no certificate for it", () => {
    expect(fitted(example, around({}))).toEqual({
      leftOut: expect.stringContaining("AIDLC_TEST_CERTIFICATE_ARN"),
    });
  });

  it("gets the account's certificate", () => {
    const certificateArn = "arn:aws:acm:eu-west-1:111122223333:certificate/mine";
    const fit = fitted(example, around({ certificateArn }));
    expect("text" in fit && fit.text).toContain(`certificateArn: ${certificateArn}\n`);
  });

  it("goes to an emulator as it is, and so does one that needs no certificate", () => {
    expect(fitted(example, around({ aws: { AWS_ENDPOINT_URL: "http://x" } }))).toEqual({
      text: example.text,
    });
    expect(fitted(plain, around({}))).toEqual({ text: plain.text });
  });
});
