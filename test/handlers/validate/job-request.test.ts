import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DatasetRules } from "../../../handlers/dataset/rules.ts";
import {
  attemptOf,
  fromArguments,
  jobName,
  jobRequest,
  jobSize,
  MAX_JOB_BYTES,
  toArguments,
} from "../../../handlers/validate/job-request.ts";
import { roomiest } from "../../../handlers/validate/run-job.ts";
import { functionEnvironment } from "../../../programs/functions/function-environment.ts";
import { FUNCTIONS } from "../../../programs/functions/index.ts";
import type { RoleSurroundings } from "../../../programs/grants.ts";
import { pipelineImages } from "../../../programs/images.ts";
import { pipelineSetting } from "../../../programs/phases/pipeline-setting.ts";
import { pipelineTags } from "../../../programs/tags.ts";
import { anInput, aSpec, PRODUCTION_FOUNDATION } from "../../programs/support/inputs.ts";

const GB = 1024 ** 3;
const OBJECT = {
  bucket: "aidlc-raw",
  key: "2026/large.csv",
  versionId: "v1",
  size: 11 * GB,
  sequencer: "0055AED6DCD90281E5".padStart(32, "0"),
};

const COLUMNS = ["a", "b", "c", "d"].map((name) => ({ name, type: "number" as const, nullable: false }));
const rules = (change: Partial<DatasetRules> = {}): DatasetRules => ({
  format: "csv",
  columns: COLUMNS,
  quality: aSpec().dataset.quality,
  classification: "internal",
  ...change,
});

describe("the size of a job", () => {
  it("has room for the hashes of as many rows as the file can hold, by row and by key", () => {
    // Four columns: a row has at least four bytes, and sixteen of a hash.
    expect(jobSize(rules(), 20 * GB).volumeGb).toBe(20 + 80);
    expect(jobSize(rules({ keys: [["a"], ["b"]] }), 20 * GB).volumeGb).toBe(20 + 3 * 80);
    const anomalies = [{ column: "a", maxRobustZ: 3, maxFraction: 0 }];
    const quality = { ...rules().quality, anomalies };
    expect(jobSize(rules({ quality }), 20 * GB).volumeGb).toBe(20 + 120);
  });

  it("has room for a Parquet file besides, and for as many rows as are read of one", () => {
    expect(jobSize(rules({ format: "parquet" }), 30 * GB).volumeGb).toBe(20 + 30 + 60);
  });

  it("stays within SageMaker's quota", () => {
    for (const format of ["csv", "jsonl", "parquet"] as const) {
      const { volumeGb } = jobSize(rules({ format, keys: [["a"], ["b"]] }), MAX_JOB_BYTES[format]);
      expect(volumeGb).toBeLessThanOrEqual(1024);
    }
  });

  it("takes the larger instance for what is larger than 50 GB", () => {
    expect(jobSize(rules(), 50 * GB).instanceType).toBe("ml.m5.xlarge");
    expect(jobSize(rules(), 51 * GB).instanceType).toBe("ml.m5.4xlarge");
  });
});

describe("a job", () => {
  const surroundingsOf = (profile: "learning" | "production"): RoleSurroundings => {
    const spec = aSpec({
      profile,
      dataset: {
        validationImage: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/aidlc-validation-job:1",
        ...(profile === "production" && { replicaRegion: "eu-central-1" }),
      },
    });
    const setting = pipelineSetting(anInput({ spec, foundation: PRODUCTION_FOUNDATION }));
    return {
      setting,
      images: pipelineImages(setting),
      keys: { data: "arn:data", models: "arn:models", logs: "arn:logs", signing: "arn:signing" },
      network: { subnetIds: ["subnet-1", "subnet-2"], securityGroupId: "sg-1" },
    };
  };
  const environmentOf = (around: RoleSurroundings) => ({
    ...functionEnvironment("validate", around.setting),
    ...FUNCTIONS.validate.environmentAround?.(around),
    AWS_REGION: "eu-west-1",
    AWS_SESSION_TOKEN: "of the function",
  });
  const requestOf = (profile: "learning" | "production") => {
    const around = surroundingsOf(profile);
    return jobRequest(
      environmentOf(around),
      { image: "image", tags: { project: "birds" } },
      { object: OBJECT, rules: rules(), attempt: 2 },
    );
  };

  it("stands in production on the private subnets, in the jobs' group, and elsewhere outside of the account's networks", () => {
    expect(requestOf("production").NetworkConfig).toEqual({
      EnableNetworkIsolation: false,
      EnableInterContainerTrafficEncryption: true,
      VpcConfig: { Subnets: ["subnet-1", "subnet-2"], SecurityGroupIds: ["sg-1"] },
    });
    expect(requestOf("learning").NetworkConfig).toEqual({ EnableNetworkIsolation: false });
  });

  it("gets the function's own settings within SageMaker's limits, and nothing of its identity", () => {
    const { Environment = {} } = requestOf("production");
    expect(Environment).toMatchObject({ AIDLC_TEAM: "fraud", AWS_REGION: "eu-west-1" });
    expect(Object.keys(Environment).filter((name) => !/^AIDLC_|^AWS_REGION$/.test(name))).toEqual([]);
    for (const value of Object.values(Environment)) expect(value.length).toBeLessThanOrEqual(256);
  });

  it("bears the pipeline's tags, and has a volume under its key for a day at most", () => {
    const around = surroundingsOf("production");
    const { Tags = [], ProcessingResources, StoppingCondition } = requestOf("production");
    const tags = Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value]));
    expect(tags).toMatchObject({ project: "birds", "aidlc:team": "fraud", "aidlc:pipeline": "churn" });
    expect(
      Object.keys(pipelineTags(around.setting)).filter((key) => key.startsWith("aidlc:managed")),
    ).toEqual(Object.keys(tags).filter((key) => key.startsWith("aidlc:managed")));
    expect(ProcessingResources?.ClusterConfig).toMatchObject({
      InstanceCount: 1,
      VolumeKmsKeyId: "arn:data",
    });
    expect(StoppingCondition).toEqual({ MaxRuntimeInSeconds: 86_400 });
  });

  it("is allowed to the function as it is asked for, and only so", () => {
    for (const profile of ["learning", "production"] as const) {
      const around = surroundingsOf(profile);
      const start = FUNCTIONS.validate.grants(around).find(({ Sid }) => Sid === "StartJobs");
      const { ProcessingJobName = "", NetworkConfig, ProcessingResources } = requestOf(profile);
      const [prefix = ""] = String(start?.Resource).split("/").at(-1)?.split("*") ?? [];
      expect(ProcessingJobName.startsWith(prefix)).toBe(true);
      const among = start?.Condition?.["ForAllValues:StringEquals"] ?? {};
      expect(among["sagemaker:InstanceTypes"]).toContain(ProcessingResources?.ClusterConfig?.InstanceType);
      expect(among["sagemaker:VpcSubnets"]).toEqual(NetworkConfig?.VpcConfig?.Subnets);
      expect(among["sagemaker:VpcSecurityGroupIds"]).toEqual(NetworkConfig?.VpcConfig?.SecurityGroupIds);
    }
  });
});

describe("a job's arguments", () => {
  it("bring any object there and back, in pieces that SageMaker takes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 1024 }), fc.string(), (key, versionId) => {
        const object = { ...OBJECT, key, versionId };
        const parts = toArguments(object);
        expect(fromArguments(parts)).toEqual(object);
        expect(parts.length).toBeLessThanOrEqual(100);
        expect(parts.every((part) => /^[\w-]{1,256}$/.test(part))).toBe(true);
      }),
    );
  });

  it("are refused where something else made them", () => {
    expect(() => fromArguments(["e30"])).toThrow();
    expect(() => fromArguments([])).toThrow();
  });
});

describe("a job's name", () => {
  it("is one for each version of an object and each attempt, and fits", () => {
    const { names } = pipelineSetting(anInput());
    const name = (key: string, versionId: string, attempt: number) =>
      jobName(names.jobPrefix("validate"), { ...OBJECT, key, versionId }, attempt);
    const all = [name("a", "b", 1), name("ab", "", 1), name("a", "c", 1), name("a", "b", 2)];
    expect(new Set(all).size).toBe(4);
    for (const one of all) expect(one).toMatch(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/);
    expect(all.map(attemptOf)).toEqual([1, 1, 1, 2]);
    expect(() => attemptOf("aidlc-abc-train-1")).toThrow("no job of this function");
  });
});

it("a job works where most room is, of the places that it may write to", () => {
  const folder = mkdtempSync(join(tmpdir(), "room-"));
  expect(roomiest(["/nowhere", folder])).toBe(folder);
  expect(() => roomiest(["/nowhere"])).toThrow("/nowhere");
  rmSync(folder, { recursive: true });
});
