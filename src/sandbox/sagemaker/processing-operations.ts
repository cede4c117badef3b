import type pg from "pg";
import { arnsIn } from "../../../programs/arns.ts";
import { AwsError } from "../aws-error.ts";
import type { AwsOperation, Caller } from "../aws-json-routes.ts";
import { type Input, oneOf, optionalText, pageRequest, requiredText, seconds } from "./input.ts";
import * as store from "./processing-store.ts";
import { completeStop, requestStop } from "./store.ts";

const statuses = ["InProgress", "Completed", "Failed", "Stopping", "Stopped"];

/** Jobs that functions start, which no stack knows. Nothing runs: a job is in progress until it is stopped. */
export const processingOperations: Readonly<Record<string, AwsOperation>> = {
  CreateProcessingJob: async ({ pool, caller }, input) => {
    const name = requiredText(input, "ProcessingJobName");
    const { account, region } = caller;
    if (account === null || region === null) {
      throw new AwsError(
        "ValidationException",
        "A job is of one account and region: say which by the headers x-aidlc-account and x-aidlc-region",
      );
    }
    const arn = arnsIn({ accountId: account, region }).sagemaker("processing-job", name);
    if (!(await store.insertJob(pool, { arn, account, region, name, details: input }))) {
      throw new AwsError(
        "ResourceInUse",
        `Job name must be unique within an AWS account and region: ${name}`,
      );
    }
    return { ProcessingJobArn: arn };
  },

  ListProcessingJobs: async ({ pool, caller }, input) => {
    const { rows, nextToken } = await store.listJobs(
      pool,
      caller,
      {
        nameContains: optionalText(input, "NameContains"),
        status: oneOf(input, "StatusEquals", statuses),
      },
      pageRequest(input),
    );
    return { ProcessingJobSummaries: rows.map(jobSummary), NextToken: nextToken };
  },

  DescribeProcessingJob: async ({ pool, caller }, input) => {
    const job = await getJob(pool, caller, input);
    await completeStop(pool, store.JOBS, job.arn);
    return { ...job.details, ...jobSummary(job) };
  },

  StopProcessingJob: async ({ pool, caller }, input) => {
    const job = await getJob(pool, caller, input);
    if (!(await requestStop(pool, store.JOBS, job.arn)) && job.status !== "Stopping") {
      throw new AwsError(
        "ValidationException",
        `The request was rejected because the processing job is in status ${job.status}.`,
      );
    }
    return {};
  },
};

async function getJob(pool: pg.Pool, caller: Caller, input: Input): Promise<store.ProcessingJob> {
  const name = requiredText(input, "ProcessingJobName");
  const job = await store.findJob(pool, caller, name);
  if (job) return job;
  throw new AwsError("ValidationException", `Could not find requested job with name: ${name}`);
}

function jobSummary(job: store.ProcessingJob): Record<string, unknown> {
  return {
    ProcessingJobName: job.name,
    ProcessingJobArn: job.arn,
    ProcessingJobStatus: job.status,
    CreationTime: seconds(job.created_at),
    LastModifiedTime: seconds(job.updated_at),
  };
}
