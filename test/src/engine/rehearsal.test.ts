import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { notYetKnown } from "../../../programs/policies/values.ts";
import { rehearse } from "../../../src/engine/rehearsal.ts";

const stack = {
  project: "aidlc-pipeline",
  name: "fraud.churn",
  account: { accountId: "111122223333", region: "eu-west-1" },
};

class Storage extends pulumi.ComponentResource {
  readonly topic: aws.sns.Topic;
  constructor() {
    super("aidlc:component:Storage", "storage");
    const bucket = new aws.s3.Bucket("raw", { bucket: "aidlc-raw" }, { parent: this });
    new aws.s3.BucketPolicy(
      "policy",
      { bucket: bucket.id, policy: pulumi.jsonStringify({ Resource: pulumi.interpolate`${bucket.arn}/*` }) },
      { parent: this },
    );
    this.topic = new aws.sns.Topic("alerts", { name: "aidlc-alerts" }, { parent: this });
  }
}

const named = (resources: Awaited<ReturnType<typeof rehearse>>, name: string) =>
  resources.find((resource) => resource.name === name);

describe("a rehearsal", () => {
  it("registers what the program would, under the URNs that the engine forms", async () => {
    const found = await rehearse(async () => void new Storage(), stack);
    expect(found.map(({ urn }) => urn)).toEqual(
      expect.arrayContaining([
        "urn:pulumi:fraud.churn::aidlc-pipeline::aidlc:component:Storage::storage",
        "urn:pulumi:fraud.churn::aidlc-pipeline::aidlc:component:Storage$aws:s3/bucket:Bucket::raw",
      ]),
    );
    expect(found).toHaveLength(4);
  });

  it("makes up ids and ARNs in AWS's form, so that references and documents are whole", async () => {
    const found = await rehearse(async () => void new Storage(), stack);
    expect(named(found, "policy")?.properties).toEqual({
      bucket: "aidlc-raw",
      policy: '{"Resource":"arn:aws:s3:::aidlc-raw/*"}',
    });
    expect(named(found, "alerts")?.names).toContain("arn:aws:sns:eu-west-1:111122223333:aidlc-alerts");
  });

  it("leaves what only AWS knows unknown, also in what is made from it", async () => {
    const found = await rehearse(async () => {
      const { topic } = new Storage();
      new aws.ssm.Parameter("owner", { type: "String", value: pulumi.interpolate`by ${topic.owner}` });
    }, stack);
    expect(named(found, "owner")?.properties.value).toBe(notYetKnown);
  });

  it("shows secrets in plain text, so that policies see them where they don't belong", async () => {
    const found = await rehearse(async () => {
      new aws.ssm.Parameter("token", { type: "String", insecureValue: pulumi.secret("abc") });
    }, stack);
    expect(named(found, "token")?.properties.insecureValue).toBe("abc");
  });

  it("answers what programs ask of AWS, and fails for anything else", async () => {
    const zones: string[][] = [];
    await rehearse(async () => {
      aws.getAvailabilityZonesOutput({}).names.apply((names) => zones.push(names));
    }, stack);
    expect(zones).toEqual([["eu-west-1a", "eu-west-1b", "eu-west-1c"]]);
    await expect(rehearse(async () => void (await aws.ec2.getVpc({})), stack)).rejects.toThrow(/getVpc/);
  });

  it("throws what the program throws, also later than its end", async () => {
    const broken = rehearse(async () => {
      throw new Error("No such column");
    }, stack);
    await expect(broken).rejects.toThrow("No such column");
    const others = process.listeners("unhandledRejection");
    // They would fail the whole run for what is expected here.
    process.removeAllListeners("unhandledRejection");
    const late = rehearse(async () => {
      new Storage().topic.arn.apply(() => {
        throw new Error("Too late");
      });
    }, stack);
    await expect(late).rejects.toThrow("Too late");
    for (const listener of others) process.on("unhandledRejection", listener);
  });
});
