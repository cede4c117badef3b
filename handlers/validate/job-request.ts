import { createHash } from "node:crypto";
import type { CreateProcessingJobCommandInput } from "@aws-sdk/client-sagemaker";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import { VALIDATION_PROGRAM } from "../../programs/storage-layout.ts";
import { ownTags, phaseTags } from "../../programs/tags.ts";
import { VALIDATION_INSTANCES } from "../../programs/validation-job.ts";
import { MAX_ROWS } from "../dataset/parquet-file.ts";
import type { DatasetRules } from "../dataset/rules.ts";
import { type Environment, variables } from "../runtime/environment.ts";
import { RawObject } from "./raw-object.ts";

const GB = 1024 ** 3;

/** What a day is enough for; of Parquet also what its reader takes unpacked. */
export const MAX_JOB_BYTES = { csv: 500 * GB, jsonl: 500 * GB, parquet: 200 * GB } as const;

export const MAX_RUNTIME_SECONDS = 24 * 3600;

/** Where SageMaker lays what a job is given. */
export const PROGRAM_FOLDER = "/opt/ml/processing/input/program";

/** From here on columns, hashes and threads are worth the larger instance. */
const LARGE_BYTES = 50 * GB;

/** SageMaker's default quota is 1,024 GB. */
const MAX_VOLUME_GB = 1000;
/** The image, the program, the parts that DuckDB reads, and what it spills. */
const BASE_VOLUME_GB = 20;

/** Bytes that the fewest bytes of a row come to beside the file: two hashes by row and key, a number for each check of anomalies. */
const bytesPerRow = ({ keys = [], quality }: DatasetRules) =>
  16 * (1 + keys.length) + 8 * (quality.anomalies ?? []).length;

/** The most rows that so many bytes can hold. */
function mostRows({ format, columns }: DatasetRules, size: number): number {
  if (format === "parquet") return MAX_ROWS;
  // A CSV record has a delimiter or line end for each column; an object without members is two braces and a line end.
  return size / (format === "csv" ? columns.length : 3);
}

/** On what an object is validated. A volume that the fewest bytes a row would overflow is as large as SageMaker's quota allows. */
export function jobSize(rules: DatasetRules, size: number) {
  const [small, large] = VALIDATION_INSTANCES;
  const bytes = mostRows(rules, size) * bytesPerRow(rules) + (rules.format === "parquet" ? size : 0);
  return {
    instanceType: size > LARGE_BYTES ? large : small,
    volumeGb: Math.min(MAX_VOLUME_GB, BASE_VOLUME_GB + Math.ceil(bytes / GB)),
  };
}

/** Of the parameter `VALIDATION_JOB`. */
export const JobDocument = Type.Object({
  image: Type.String(),
  tags: Type.Record(Type.String(), Type.String()),
});
export type JobDocument = Static<typeof JobDocument>;

/** SageMaker takes at most so many characters for an argument, and a key alone may have more. */
const ARGUMENT_LENGTH = 256;

/** An object as the arguments of a job's container. */
export function toArguments(object: RawObject): string[] {
  const text = Buffer.from(JSON.stringify(object)).toString("base64url");
  return text.match(new RegExp(`.{1,${ARGUMENT_LENGTH}}`, "g")) ?? [];
}

/** Throws for arguments that `toArguments` didn't make. */
export const fromArguments = (parts: readonly string[]): RawObject =>
  Value.Parse(RawObject, JSON.parse(Buffer.from(parts.join(""), "base64url").toString()));

/** SageMaker gives a name once for ever, so the attempt is part of it. At most 63 characters. */
export function jobName(prefix: string, { key, versionId }: RawObject, attempt: number): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([key, versionId]))
    .digest("hex");
  return `${prefix}-${digest.slice(0, 32)}-${attempt}`;
}

/** Throws for a name that `jobName` didn't make. */
export function attemptOf(name: string): number {
  const attempt = /-[0-9a-f]{32}-(\d+)$/.exec(name)?.[1];
  if (attempt === undefined) throw new RangeError(`"${name}" is no job of this function`);
  return Number(attempt);
}

/** The job that validates an object: the function's own settings, its program, and the object as arguments. */
export function jobRequest(
  env: Environment,
  { image, tags }: JobDocument,
  { object, rules, attempt }: { object: RawObject; rules: DatasetRules; attempt: number },
): CreateProcessingJobCommandInput {
  const names = variables(env, [
    "AIDLC_TEAM",
    "AIDLC_PIPELINE",
    "AIDLC_JOB_PREFIX",
    "AIDLC_JOB_ROLE",
    "AIDLC_JOB_PROGRAM",
    "AIDLC_JOB_KEY",
    "AWS_REGION",
  ]);
  const { instanceType, volumeGb } = jobSize(rules, object.size);
  const ProcessingJobName = jobName(names.AIDLC_JOB_PREFIX, object, attempt);
  const own = ownTags({ team: names.AIDLC_TEAM, pipeline: names.AIDLC_PIPELINE });
  return {
    ProcessingJobName,
    AppSpecification: {
      ImageUri: image,
      ContainerEntrypoint: ["node", `${PROGRAM_FOLDER}/${VALIDATION_PROGRAM.file}`],
      ContainerArguments: toArguments(object),
    },
    RoleArn: names.AIDLC_JOB_ROLE,
    ProcessingInputs: [
      {
        InputName: "program",
        S3Input: {
          S3Uri: names.AIDLC_JOB_PROGRAM,
          LocalPath: PROGRAM_FOLDER,
          S3DataType: "S3Prefix",
          S3InputMode: "File",
        },
      },
    ],
    ProcessingResources: {
      ClusterConfig: {
        InstanceCount: 1,
        InstanceType: instanceType,
        VolumeSizeInGB: volumeGb,
        VolumeKmsKeyId: names.AIDLC_JOB_KEY,
      },
    },
    StoppingCondition: { MaxRuntimeInSeconds: MAX_RUNTIME_SECONDS },
    NetworkConfig: network(env),
    Environment: {
      ...Object.fromEntries(
        Object.entries(env).filter(([name]) => name.startsWith("AIDLC_") && !name.startsWith("AIDLC_JOB_")),
      ),
      AIDLC_JOB_NAME: ProcessingJobName,
      AWS_REGION: names.AWS_REGION,
    } as Record<string, string>,
    Tags: Object.entries({ ...tags, ...own, ...phaseTags("infrastructure") }).map(([Key, Value]) => ({
      Key,
      Value,
    })),
  };
}

/**
 * The job reads S3 by version, copies, and tells, which a container in isolation could not. In the profile `production` it stands on
 * subnets that have no way to the internet, and reaches this account's buckets and AWS's services through endpoints that let through just that.
 */
function network({ AIDLC_JOB_SUBNETS: subnets, AIDLC_JOB_SECURITY_GROUP: group }: Environment) {
  if (subnets === undefined || group === undefined) return { EnableNetworkIsolation: false };
  return {
    EnableNetworkIsolation: false,
    EnableInterContainerTrafficEncryption: true,
    VpcConfig: { Subnets: subnets.split(","), SecurityGroupIds: [group] },
  };
}
