import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CREDENTIAL_PATTERNS,
  credentialIn,
  isCredentialName,
} from "../../../programs/credential-patterns.ts";
import { credentialProblems } from "../../../programs/spec/credential-rules.ts";
import { PipelineSpec, specProblems } from "../../../programs/spec.ts";
import { exampleSpecs } from "../../../scripts/programs/example-specs.ts";
import { aSpec } from "../support/inputs.ts";

// Put together here, so that no scanner takes the test for a leak.
const credentials: readonly (readonly [what: string, credential: string])[] = [
  ["an AWS access key id", ["AKIA", "ABCDEFGHIJKLMNOP"].join("")],
  ["an AWS access key id of a session", ["ASIA", "ABCDEFGHIJKLMNOP"].join("")],
  ["an AWS secret access key", ["wJalrXUtnFEMIK7MDENG", "bPxRfiCYEXAMPLEKEYzz"].join("")],
  [
    "an AWS secret access key in its setting",
    `aws_secret_access_key = ${"wJalrXUtn/FEMIK7MDENG/bPxRfiCYEXAMPLEKEY"}`,
  ],
  ["an AWS session token", `IQoJb3JpZ2lu${"X2VjEAAaCXVz".repeat(20)}`],
  ["a private key", ["-----BEGIN RSA", "PRIVATE KEY-----"].join(" ")],
  ["a private key without a kind", ["-----BEGIN", "PRIVATE KEY-----"].join(" ")],
  ["a GitHub token", `ghp_${"a1".repeat(18)}`],
  ["a fine-grained GitHub token", `github_pat_${"a1_".repeat(20)}`],
  ["a GitLab token", `glpat-${"a1".repeat(10)}`],
  ["a Slack token", `xoxb-${"1".repeat(12)}`],
  ["a Hugging Face token", `hf_${"aB".repeat(17)}`],
  ["an npm token", `npm_${"a1".repeat(18)}`],
  ["a Google API key", `AIza${"a".repeat(35)}`],
  ["a Stripe key", `sk_live_${"a1".repeat(12)}`],
  ["a key of an AI service", `sk-proj-${"a1".repeat(24)}`],
  ["an API key of this service", `aidlc_0123456789ab_${"a".repeat(43)}`],
  ["a JSON Web Token", `eyJ${"a".repeat(20)}.eyJ${"b".repeat(30)}.sig`],
  ["a password in an address", "postgres://me:hunter2@db.example.com/x"],
  ["a password without a user in an address", "redis://:hunter2@cache.example.com"],
];

const pathsOf = (document: unknown) => [...credentialProblems(document)].map(({ path }) => path);

describe("a credential", () => {
  it.each(credentials)("is told: %s", (_, credential) => {
    expect(credentialIn(credential)).toBeDefined();
  });

  it.each(credentials.filter(([what]) => what !== "an AWS secret access key"))(
    "is told amid other text: %s",
    (_, credential) => {
      expect(credentialIn(`see "${credential}", please`)).toBeDefined();
      expect(credentialIn(`line 1\n${credential}\nline 3`)).toBeDefined();
    },
  );

  it.each([
    ["a commit", "0123456789abcdef0123456789abcdef01234567"],
    ["a digest", `sha256:${"0123456789abcdef".repeat(4)}`],
    ["an image", "111122223333.dkr.ecr.eu-central-1.amazonaws.com/team/train@sha256:abc"],
    ["an ARN", "arn:aws:acm:us-east-1:111122223333:certificate/0f0e0d0c-0b0a-4908-8706-050403020100"],
    ["an address", "https://hooks.example.com/services/T00000000/B00000000/path?a=b:c@d"],
    ["an e-mail address", "ada@example.com"],
    ["a schedule", "cron(0 2 ? * SUN *)"],
    ["an objective", "reg:squarederror"],
    ["words with a hyphen", "sk-learn-wrapper, key-value-store, task-of-the-day"],
  ])("is not taken for one: %s", (_, text) => {
    expect(credentialIn(text)).toBeUndefined();
  });

  it("is looked for in a time that grows with the text, however that was made", () => {
    const pieces = [
      "eyJ",
      "-eyJ",
      "eyJaaaaaaaaaa.",
      "a.",
      "a+",
      "://",
      "a://",
      "a://b:",
      "-----BEGIN ",
      "sk-",
      "aws_secret_access_key",
    ];
    for (const piece of pieces) {
      const text = piece.repeat(Math.ceil((512 * 1024) / piece.length));
      const startMs = performance.now();
      credentialIn(text);
      expect(performance.now() - startMs, piece).toBeLessThan(2_000);
    }
  });

  it("is no pattern with a memory of where it was", () => {
    for (const [, pattern] of CREDENTIAL_PATTERNS) expect(pattern.flags).not.toMatch(/[gy]/);
  });
});

describe("a spec", () => {
  const secret = credentials[0]?.[1] as string;

  it("is refused for a credential at any place, in lists and unknown fields too, by its path", () => {
    expect(pathsOf({ a: [{ b: secret }], "x/y~z": secret })).toEqual(["/a/0/b", "/x~1y~0z"]);
    expect(pathsOf(secret)).toEqual([""]);
    expect(pathsOf({ [secret]: 1 })).toEqual([""]);
    expect(pathsOf({ a: { [`${secret}x`.replace(/x$/, "")]: { deep: 1 } } })).toEqual(["/a"]);
  });

  it("is refused for a name of a credential, whatever stands under it", () => {
    expect(pathsOf({ a: { password: { b: secret } } })).toEqual(["/a/password"]);
  });

  it("is told without the credential, wherever that stands", () => {
    const place = fc.constantFrom("value", "key", "item");
    fc.assert(
      fc.property(fc.constantFrom(...credentials), place, fc.jsonValue(), ([, credential], where, other) => {
        const inner =
          where === "key" ? { [credential]: other } : where === "item" ? [other, credential] : credential;
        const problems = [...credentialProblems({ training: { x: inner } })];
        expect(problems.length).toBeGreaterThan(0);
        expect(JSON.stringify(problems)).not.toContain(JSON.stringify(credential).slice(1, -1));
      }),
    );
  });

  it("with a credential is told of that alone: another message could repeat it", () => {
    const spec = aSpec({ tags: { "aws:x": secret } });
    expect(specProblems(spec).map(({ path }) => path)).toEqual(["/tags/aws:x"]);
  });

  it("doesn't tune a hyperparameter that is named like a credential", () => {
    const tuning = {
      strategy: "random" as const,
      maxJobs: 2,
      maxParallelJobs: 1,
      ranges: [{ name: "api_key", type: "categorical" as const, values: ["a"] }],
    };
    expect(specProblems(aSpec({ training: { tuning } })).map(({ path }) => path)).toContain(
      "/training/tuning/ranges/0/name",
    );
  });

  it("that is an example of ours holds none", () => {
    for (const { text } of exampleSpecs()) expect(credentialIn(text)).toBeUndefined();
  });

  it("has no field that is named like one", () => {
    const names: string[] = [];
    const visit = (schema: unknown): void => {
      if (typeof schema !== "object" || schema === null) return;
      const { properties } = schema as { properties?: Record<string, unknown> };
      names.push(...Object.keys(properties ?? {}));
      for (const part of Object.values(schema)) visit(part);
    };
    visit(PipelineSpec);
    expect(names.length).toBeGreaterThan(80);
    expect(names.filter(isCredentialName)).toEqual([]);
  });
});
