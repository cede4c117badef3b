import {
  allow,
  attachVolumes,
  bucketArn,
  jobLogs,
  joinNetwork,
  listSettings,
  pullImages,
  putMetrics,
  useKeys,
} from "../grants.ts";
import { repositoryArnOf } from "../images.ts";
import { VALIDATION_PROGRAM } from "../storage-layout.ts";
import { validateObjects } from "../validation-grants.ts";
import type { RoleDefinition } from "./role-definition.ts";
import { trustedForSageMaker } from "./trust.ts";

export const validationJob: RoleDefinition = {
  description: "Validates what is too large for a function, as a processing job",
  trust: trustedForSageMaker,
  keyUses: ["data", "models", "volumes", "alerts"],
  grants: (around) => {
    const { arns, names, spec } = around.setting;
    const image = spec.dataset.validationImage;
    const models = bucketArn(around, "models");
    return [
      ...validateObjects(around),
      listSettings(around),
      // Without it S3 answers 403 for an object that is gone, and the job would be tried again for nothing.
      allow({ Sid: "FindRaw", Action: "s3:ListBucket", Resource: bucketArn(around, "raw") }),
      // SageMaker fetches it in the role's name.
      allow({
        Sid: "ReadProgram",
        Action: "s3:GetObject",
        Resource: `${models}/${VALIDATION_PROGRAM.folder}*`,
      }),
      allow({
        Sid: "FindProgram",
        Action: "s3:ListBucket",
        Resource: models,
        Condition: { StringLike: { "s3:prefix": `${VALIDATION_PROGRAM.folder}*` } },
      }),
      { ...useKeys(around, ["models"], ["kms:Decrypt"]), Sid: "OpenProgram" },
      ...attachVolumes(around),
      ...(image === undefined ? [] : pullImages([repositoryArnOf(image, arns)])),
      ...(spec.profile === "production" ? joinNetwork(around) : []),
      jobLogs(around, "processing"),
      putMetrics(["/aws/sagemaker/ProcessingJobs", names.metricNamespace]),
    ];
  },
};
