import type { Logger } from "@aws-lambda-powertools/logger";
import {
  CreateProcessingJobCommand,
  DescribeProcessingJobCommand,
  ResourceInUse,
  SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import { VALIDATION_ATTEMPTS, VALIDATION_JOB } from "../../programs/validation-job.ts";
import type { DatasetRules } from "../dataset/rules.ts";
import type { Alerts } from "../runtime/alerts.ts";
import { awsClient } from "../runtime/aws.ts";
import type { Environment } from "../runtime/environment.ts";
import type { Settings } from "../runtime/settings.ts";
import { attemptOf, fromArguments, JobDocument, jobRequest, MAX_JOB_BYTES } from "./job-request.ts";
import type { RawObject } from "./raw-object.ts";

const GB = 1024 ** 3;

/** A job that ended without a verdict. */
interface EndedJob {
  readonly name: string;
  readonly object: RawObject;
  readonly status: string;
  readonly reason: string | undefined;
}

/** Processing jobs for what is too large for the function. */
export interface Jobs {
  /** Starts the first job of an object's version, once. Where it can't, people are told and the object stays where it is. */
  handOver(object: RawObject, rules: DatasetRules, limit: number): Promise<void>;
  describe(name: string): Promise<EndedJob>;
  /** Starts the next job after one that failed. After the last one, and where one was stopped, people are told. */
  goOn(ended: EndedJob, rules: DatasetRules): Promise<void>;
}

export function createJobs(
  env: Environment,
  { alerts, logger, settings }: { alerts: Alerts; logger: Logger; settings: Settings },
): Jobs {
  const sagemaker = awsClient(SageMakerClient, env);

  const tellTooLarge = ({ key, versionId, size }: RawObject, limit: number, more: string) =>
    alerts.publish("critical", {
      title: "An object is too large to be validated",
      code: "data_too_large",
      detail: { key, versionId, size, limit },
      remedy: `Bring the data in files of at most ${Math.floor(limit / GB)} GB${more}; this one stays in the raw bucket`,
    });

  /** Whoever comes first starts it; whoever comes later finds its name taken, however it ended. */
  const start = async (object: RawObject, rules: DatasetRules, attempt: number): Promise<void> => {
    const document = await settings.document(VALIDATION_JOB, JobDocument);
    const request = jobRequest(env, document, { object, rules, attempt });
    const job = request.ProcessingJobName;
    try {
      await sagemaker.send(new CreateProcessingJobCommand(request));
      logger.info("An object was handed over to a processing job", { job });
    } catch (error) {
      if (!(error instanceof ResourceInUse)) throw error;
      logger.info("An object's processing job was started before", { job });
    }
  };

  return {
    handOver: async (object, rules, limit) => {
      if ((await settings.optionalDocument(VALIDATION_JOB, JobDocument)) === undefined) {
        return tellTooLarge(
          object,
          limit,
          ", or set dataset.validationImage in the pipeline's spec and bring it again",
        );
      }
      const most = MAX_JOB_BYTES[rules.format];
      if (object.size > most) return tellTooLarge(object, most, "");
      await start(object, rules, 1);
    },
    describe: async (name) => {
      const job = await sagemaker.send(new DescribeProcessingJobCommand({ ProcessingJobName: name }));
      return {
        name,
        object: fromArguments(job.AppSpecification?.ContainerArguments ?? []),
        status: job.ProcessingJobStatus ?? "",
        reason: job.FailureReason,
      };
    },
    goOn: async ({ name, object, status, reason }, rules) => {
      const attempt = attemptOf(name);
      // A job was stopped by a person, or by its time limit, which the next one would meet as well.
      if (status === "Failed" && attempt < VALIDATION_ATTEMPTS) return start(object, rules, attempt + 1);
      const { key, versionId, size } = object;
      await alerts.publish("critical", {
        title: "A processing job came to no verdict about an object",
        code: "validation_job_failed",
        detail: { key, versionId, size, job: name, status, attempts: attempt, ...(reason && { reason }) },
        remedy:
          "Look at the job's log in /aws/sagemaker/ProcessingJobs and at the image dataset.validationImage; " +
          "then copy the object onto itself: its new version is validated anew",
      });
    },
  };
}
