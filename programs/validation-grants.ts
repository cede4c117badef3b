import { allow, bucketArn, publishAlerts, type RoleSurroundings, useKeys } from "./grants.ts";
import type { Statement } from "./policy-document.ts";
import { PREFIX, TRAINING_MANIFEST } from "./storage-layout.ts";
import { VALIDATION_INSTANCES } from "./validation-job.ts";

/** What the validation of an object calls, in the function as in a job. */
export function validateObjects(around: RoleSurroundings): Statement[] {
  const { arns, names } = around.setting;
  const raw = bucketArn(around, "raw");
  const validated = bucketArn(around, "validated");
  const quarantine = bucketArn(around, "quarantine");
  const copies = [`${validated}/${PREFIX.acceptedData}*`, `${quarantine}/${PREFIX.rejectedData}*`];
  const documents = [
    ...[PREFIX.profiles, PREFIX.verdicts].map((prefix) => `${validated}/${prefix}*`),
    // Not what executions have pinned.
    `${validated}/${TRAINING_MANIFEST}`,
    `${quarantine}/${PREFIX.verdicts}*`,
  ];
  const read = [
    ...[PREFIX.baselines, PREFIX.verdicts].map((prefix) => `${validated}/${prefix}*`),
    `${validated}/${TRAINING_MANIFEST}`,
  ];
  // AWS names artifacts by a hash of their source; actions are named by us.
  const artifacts = arns.sagemaker("artifact", "*");
  const actions = arns.sagemaker("action", `${names.prefix}-*`);
  return [
    allow({ Sid: "ReadRaw", Action: "s3:GetObjectVersion", Resource: `${raw}/*` }),
    allow({ Sid: "ReadDocuments", Action: "s3:GetObject", Resource: read }),
    allow({ Sid: "ProveCopies", Action: ["s3:GetObject", "s3:GetObjectVersion"], Resource: copies }),
    // Without it S3 answers 403 for what is not there; a condition on the prefix would be met by lists only.
    allow({ Sid: "FindObjects", Action: "s3:ListBucket", Resource: [validated, quarantine] }),
    allow({
      Sid: "WriteCopies",
      Action: ["s3:PutObject", "s3:PutObjectTagging", "s3:AbortMultipartUpload"],
      Resource: copies,
    }),
    allow({ Sid: "WriteDocuments", Action: "s3:PutObject", Resource: documents }),
    useKeys(around, ["data"]),
    allow({ Sid: "RecordArtifacts", Action: "sagemaker:CreateArtifact", Resource: artifacts }),
    allow({
      Sid: "RecordActions",
      Action: ["sagemaker:CreateAction", "sagemaker:DescribeAction"],
      Resource: actions,
    }),
    allow({ Sid: "ConnectLineage", Action: "sagemaker:AddAssociation", Resource: [artifacts, actions] }),
    ...publishAlerts(around),
  ];
}

/**
 * Handing objects over to jobs: of this pipeline's names, on these instances, with volumes under its key and, in the profile
 * `production`, on its private subnets and in its group.
 */
export function startValidationJobs(around: RoleSurroundings): Statement[] {
  const { setting, keys, network } = around;
  const { arns, names, spec } = setting;
  const jobs = arns.sagemaker("processing-job", `${names.jobPrefix("validate")}-*`);
  const isPrivate = spec.profile === "production";
  return [
    allow({
      Sid: "StartJobs",
      Action: "sagemaker:CreateProcessingJob",
      Resource: jobs,
      Condition: {
        // "For all values" is met by none, too.
        Null: {
          "sagemaker:InstanceTypes": "false",
          ...(isPrivate && { "sagemaker:VpcSubnets": "false", "sagemaker:VpcSecurityGroupIds": "false" }),
        },
        "ForAllValues:StringEquals": {
          "sagemaker:InstanceTypes": VALIDATION_INSTANCES,
          ...(isPrivate && {
            "sagemaker:VpcSubnets": network.subnetIds,
            "sagemaker:VpcSecurityGroupIds": [network.securityGroupId],
          }),
        },
        ArnEquals: { "sagemaker:VolumeKmsKey": keys.data },
      },
    }),
    allow({
      Sid: "FollowJobs",
      Action: ["sagemaker:AddTags", "sagemaker:DescribeProcessingJob"],
      Resource: jobs,
    }),
    allow({
      Sid: "PassJobRole",
      Action: "iam:PassRole",
      Resource: arns.role(names.named("validation-job")),
      Condition: { StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" } },
    }),
  ];
}
