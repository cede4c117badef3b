import { document, one, type PolicyCases } from "./policy-cases.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1";
const vpc = { Subnets: ["subnet-1"], SecurityGroupIds: ["sg-1"] };

const training = (change: object = {}) => ({
  Name: "Train",
  Type: "Training",
  Arguments: {
    EnableNetworkIsolation: true,
    EnableInterContainerTrafficEncryption: true,
    VpcConfig: vpc,
    ResourceConfig: { VolumeKmsKeyId: KEY },
    OutputDataConfig: { KmsKeyId: KEY },
    EnableManagedSpotTraining: true,
    CheckpointConfig: { S3Uri: "s3://aidlc-models/checkpoints" },
    StoppingCondition: { MaxRuntimeInSeconds: 1800, MaxWaitTimeInSeconds: 3600 },
    ...change,
  },
});
const processing = (change: object = {}) => ({
  Name: "Process",
  Type: "Processing",
  Arguments: {
    NetworkConfig: {
      EnableNetworkIsolation: true,
      EnableInterContainerTrafficEncryption: true,
      VpcConfig: vpc,
    },
    ProcessingResources: { ClusterConfig: { VolumeKmsKeyId: KEY } },
    ProcessingOutputConfig: { KmsKeyId: KEY },
    StoppingCondition: { MaxRuntimeInSeconds: 1800 },
    ...change,
  },
});
const register = (ModelApprovalStatus: string) => ({
  Name: "Register",
  Type: "RegisterModel",
  Arguments: { ModelApprovalStatus },
});
const gated = (step: object) => ({ Name: "Gate", Type: "Condition", Arguments: { IfSteps: [step] } });
const pipeline = (...steps: readonly object[]) =>
  one("sagemaker/pipeline:Pipeline", "training", { pipelineDefinition: JSON.stringify({ Steps: steps }) });

const notebook = (properties: object) =>
  one("sagemaker/notebookInstance:NotebookInstance", "notebook", { name: "aidlc-notebook", ...properties });
const endpoint = (properties: object) =>
  one("sagemaker/endpointConfiguration:EndpointConfiguration", "endpoint", {
    productionVariants: [{ variantName: "a" }],
    ...properties,
  });
const group = (principal: unknown) =>
  one("sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy", "models", {
    resourcePolicy: document({
      Effect: "Allow",
      Principal: principal,
      Action: "sagemaker:DescribeModelPackage",
    }),
  });
const raw = one("s3/bucket:Bucket", "raw", { bucket: "aidlc-raw-churn" });

export const jobCases: PolicyCases = {
  "sagemaker-job-network-isolation": {
    broken: [pipeline(training({ EnableNetworkIsolation: false }))],
    kept: [pipeline(training(), processing())],
  },
  "sagemaker-job-in-vpc": {
    broken: [pipeline(processing({ NetworkConfig: { EnableNetworkIsolation: true } }))],
    kept: [pipeline(training(), processing())],
  },
  "sagemaker-job-encrypted": {
    broken: [pipeline(training({ OutputDataConfig: {} }))],
    kept: [pipeline(training(), processing())],
  },
  "sagemaker-job-traffic-encrypted": {
    broken: [pipeline(training({ EnableInterContainerTrafficEncryption: false }))],
    kept: [pipeline(training(), processing())],
  },
  "sagemaker-job-ends": {
    broken: [
      pipeline(training({ StoppingCondition: { MaxRuntimeInSeconds: 1800, MaxWaitTimeInSeconds: 900 } })),
    ],
    kept: [pipeline(training(), processing())],
  },
  "training-on-validated-data-only": {
    broken: [raw, pipeline(processing({ Input: "s3://aidlc-raw-churn/today" }))],
    kept: [raw, pipeline(processing({ Input: "s3://aidlc-validated-churn/today" }))],
  },
  "model-passes-quality-gate": {
    broken: [pipeline(training(), register("PendingManualApproval"))],
    kept: [pipeline(training(), gated(register("PendingManualApproval")))],
  },
  "model-waits-for-approval": {
    broken: [pipeline(gated(register("Approved")))],
    kept: [pipeline(gated(register("PendingManualApproval")))],
  },
  "model-group-policy-restricted": {
    broken: [group("*")],
    kept: [group({ AWS: "arn:aws:iam::111122223333:root" })],
  },
  "sagemaker-notebook-encrypted": { broken: [notebook({})], kept: [notebook({ kmsKeyId: KEY })] },
  "sagemaker-notebook-no-direct-internet-access": {
    broken: [notebook({ directInternetAccess: "Enabled", subnetId: "subnet-1" })],
    kept: [notebook({ directInternetAccess: "Disabled", subnetId: "subnet-1" })],
  },
  "sagemaker-notebook-no-root": {
    broken: [notebook({ rootAccess: "Enabled" })],
    kept: [notebook({ rootAccess: "Disabled" })],
  },
  "sagemaker-notebook-stops": {
    broken: [notebook({})],
    kept: [
      notebook({}),
      one("scheduler/schedule:Schedule", "stop", {
        target: { arn: "arn:aws:scheduler:::aws-sdk:sagemaker:stopNotebookInstance" },
      }),
    ],
  },
  "sagemaker-model-isolated": {
    broken: [one("sagemaker/model:Model", "model", { enableNetworkIsolation: true })],
    kept: [
      one("sagemaker/model:Model", "model", {
        enableNetworkIsolation: true,
        vpcConfig: { subnets: ["subnet-1"], securityGroupIds: ["sg-1"] },
      }),
    ],
  },
  "sagemaker-endpoint-encrypted": { broken: [endpoint({})], kept: [endpoint({ kmsKeyArn: KEY })] },
  "endpoint-captures-data": {
    broken: [endpoint({ dataCaptureConfig: { enableCapture: false } })],
    kept: [
      endpoint({ dataCaptureConfig: { enableCapture: true } }),
      endpoint({ productionVariants: [{ serverlessConfig: { maxConcurrency: 5 } }] }),
    ],
  },
};
