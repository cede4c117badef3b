import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  BUCKETS,
  KEY_PURPOSES,
  LOG_GROUPS,
  PART_LENGTH,
  type PipelineIdentity,
  pipelineNames,
  REPOSITORIES,
  shortHash,
} from "../../programs/names.ts";
import { PIPELINE_ROLES } from "../../programs/roles/index.ts";

const name = (limit: number) =>
  fc.stringMatching(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/).filter((text) => text.length <= limit);

const identity: fc.Arbitrary<PipelineIdentity> = fc.record({
  account: fc.record({
    accountId: fc.stringMatching(/^\d{12}$/),
    region: fc.constantFrom("eu-west-1", "us-east-1", "ap-southeast-2", "us-gov-west-1"),
  }),
  team: name(24),
  pipeline: name(32),
});

const LONGEST: PipelineIdentity = {
  account: { accountId: "111122223333", region: "ap-southeast-2" },
  team: "a".repeat(24),
  pipeline: "b".repeat(32),
};

describe("names", () => {
  it("keeps bucket names within S3's rules", () => {
    fc.assert(
      fc.property(identity, fc.constantFrom(...BUCKETS), (who, kind) => {
        expect(pipelineNames(who).bucket(kind)).toMatch(/^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/);
      }),
    );
  });

  it("keeps names of roles, schedules and SageMaker resources within 63 characters", () => {
    fc.assert(
      fc.property(
        identity,
        fc.constantFrom(...PIPELINE_ROLES, "approval-needed", "dead-letters"),
        (who, part) => {
          expect(pipelineNames(who).named(part)).toMatch(/^(?=.{1,63}$)[a-z0-9]+(-[a-z0-9]+)*$/);
        },
      ),
    );
  });

  it("leaves room for every part", () => {
    for (const part of PIPELINE_ROLES) expect(part.length).toBeLessThanOrEqual(PART_LENGTH);
    expect(pipelineNames(LONGEST).named("p".repeat(PART_LENGTH))).toHaveLength(63);
  });

  it("keeps job prefixes within the 38 characters that SageMaker allows", () => {
    fc.assert(
      fc.property(
        identity,
        fc.constantFrom("process" as const, "train" as const, "evaluate" as const),
        (who, step) => {
          expect(pipelineNames(who).jobPrefix(step).length).toBeLessThanOrEqual(38);
        },
      ),
    );
  });

  it("keeps paths within the limits of KMS, ECR, CloudWatch and SSM", () => {
    const names = pipelineNames(LONGEST);
    for (const purpose of KEY_PURPOSES) expect(names.keyAlias(purpose).length).toBeLessThanOrEqual(256);
    for (const kind of REPOSITORIES)
      expect(names.repository(kind)).toMatch(/^(?=.{2,256}$)[a-z0-9]+([._/-][a-z0-9]+)*$/);
    for (const kind of LOG_GROUPS) expect(names.logGroup(kind).length).toBeLessThanOrEqual(512);
    expect(names.parameter("training/hyperparameters/100").length).toBeLessThanOrEqual(1011);
    expect(names.metricNamespace.length).toBeLessThanOrEqual(255);
  });

  it("gives different pipelines different names, also where they only join alike", () => {
    fc.assert(
      fc.property(identity, identity, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        expect(pipelineNames(one).prefix).not.toBe(pipelineNames(other).prefix);
      }),
    );
    const { account } = LONGEST;
    const one = pipelineNames({ account, team: "fraud", pipeline: "churn-eu" });
    const other = pipelineNames({ account, team: "fraud-churn", pipeline: "eu" });
    expect(one.prefix).not.toBe(other.prefix);
  });

  it("begins no pipeline's names with another pipeline's prefix", () => {
    const { account } = LONGEST;
    const short = pipelineNames({ account, team: "fraud", pipeline: "churn" });
    const long = pipelineNames({ account, team: "fraud", pipeline: "churn-eu" });
    expect(long.named("training").startsWith(`${short.prefix}-`)).toBe(false);
  });

  it("depends on account, region, team and pipeline only", () => {
    const again = {
      ...LONGEST,
      account: { ...LONGEST.account, roleArn: "arn:aws:iam::1:role/x" },
    };
    expect(pipelineNames(again).prefix).toBe(pipelineNames(LONGEST).prefix);
  });

  it("stay what they were: a changed name replaces every bucket with an empty one", () => {
    expect(pipelineNames(LONGEST).bucket("raw")).toBe("aidlc-raw-aaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbb-6jtriwob");
    expect(pipelineNames(LONGEST).named("training")).toBe(
      "aidlc-aaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbb-6jtriwob-training",
    );
  });

  it("hashes to eight characters of base32", () => {
    fc.assert(fc.property(fc.array(fc.string()), (parts) => /^[a-z2-7]{8}$/.test(shortHash(...parts))));
  });
});
