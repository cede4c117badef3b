import { consume } from "../data-grants.ts";
import { allow, bucketArn, publishAlerts, useKeys } from "../grants.ts";
import { PREFIX } from "../storage-layout.ts";
import type { FunctionDefinition } from "./function-definition.ts";

export const validate: FunctionDefinition = {
  description: "Checks raw data; writes it to validated or quarantine",
  memoryMb: 3008,
  timeoutSeconds: 900,
  readsData: true,
  storageMb: 10_240,
  environment: ({ names }) => ({
    AIDLC_RAW_BUCKET: names.bucket("raw"),
    AIDLC_VALIDATED_BUCKET: names.bucket("validated"),
    AIDLC_QUARANTINE_BUCKET: names.bucket("quarantine"),
    AIDLC_LINEAGE_PREFIX: names.prefix,
  }),
  keyUses: ["data", "alerts"],
  grants: (around) => {
    const { arns, names } = around.setting;
    const raw = bucketArn(around, "raw");
    const validated = bucketArn(around, "validated");
    const quarantine = bucketArn(around, "quarantine");
    const copies = [`${validated}/${PREFIX.acceptedData}*`, `${quarantine}/${PREFIX.rejectedData}*`];
    const documents = [
      ...[PREFIX.manifests, PREFIX.profiles, PREFIX.verdicts].map((prefix) => `${validated}/${prefix}*`),
      `${quarantine}/${PREFIX.verdicts}*`,
    ];
    const read = [PREFIX.baselines, PREFIX.manifests, PREFIX.verdicts].map(
      (prefix) => `${validated}/${prefix}*`,
    );
    // AWS names artifacts by a hash of their source; actions are named by us.
    const artifacts = arns.sagemaker("artifact", "*");
    const actions = arns.sagemaker("action", `${names.prefix}-*`);
    return [
      consume(around, "ingest"),
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
  },
};
