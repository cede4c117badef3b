import { consume } from "../data-grants.ts";
import { VALIDATION_PROGRAM } from "../storage-layout.ts";
import { startValidationJobs, validateObjects } from "../validation-grants.ts";
import type { FunctionDefinition } from "./function-definition.ts";

export const validate: FunctionDefinition = {
  description: "Checks raw data; writes it to validated or quarantine",
  memoryMb: 3008,
  timeoutSeconds: 900,
  readsData: true,
  storageMb: 10_240,
  environment: ({ arns, names, spec }) => ({
    AIDLC_RAW_BUCKET: names.bucket("raw"),
    AIDLC_VALIDATED_BUCKET: names.bucket("validated"),
    AIDLC_QUARANTINE_BUCKET: names.bucket("quarantine"),
    AIDLC_LINEAGE_PREFIX: names.prefix,
    ...(spec.dataset.validationImage !== undefined && {
      AIDLC_JOB_PREFIX: names.jobPrefix("validate"),
      AIDLC_JOB_ROLE: arns.role(names.named("validation-job")),
      AIDLC_JOB_PROGRAM: `s3://${names.bucket("models")}/${VALIDATION_PROGRAM.folder}`,
    }),
  }),
  environmentAround: ({ setting: { spec }, keys, network }) =>
    spec.dataset.validationImage === undefined
      ? {}
      : {
          AIDLC_JOB_KEY: keys.data,
          // Only private subnets have a way to the services that a job calls besides S3. In `learning` jobs run like functions, outside
          // of any network of the account.
          ...(spec.profile === "production" && {
            AIDLC_JOB_SUBNETS: network.subnetIds.join(","),
            AIDLC_JOB_SECURITY_GROUP: network.securityGroupId,
          }),
        },
  keyUses: ["data", "alerts"],
  grants: (around) => [
    consume(around, "ingest"),
    ...validateObjects(around),
    ...(around.setting.spec.dataset.validationImage === undefined ? [] : startValidationJobs(around)),
  ],
};
