import { ALWAYS, each, IN_PRODUCTION, type Policy } from "./policy.ts";
import type { Stack, StackResource } from "./stack.ts";
import { allTexts, at, json, list, missing, properties, text } from "./values.ts";

const PIPELINE = "aws:sagemaker/pipeline:Pipeline";
const NOTEBOOK = "aws:sagemaker/notebookInstance:NotebookInstance";
const JOBS = ["Processing", "Training", "Tuning"];

/** A step of a pipeline definition, nested ones too: https://aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema/ */
interface Step {
  readonly name: string;
  readonly type: string;
  readonly arguments: unknown;
  /** Whether a condition decides that it runs. */
  readonly gated: boolean;
}

function stepsOf({ properties: bag }: StackResource): readonly Step[] {
  const walk = (steps: unknown, gated: boolean): Step[] =>
    list(steps).flatMap((step) => {
      const args = at(step, "Arguments");
      const own = { name: String(at(step, "Name")), type: String(at(step, "Type")), arguments: args, gated };
      return [own, ...walk(at(args, "IfSteps"), true), ...walk(at(args, "ElseSteps"), gated)];
    });
  return walk(at(json(bag.pipelineDefinition), "Steps"), false);
}

/** What SageMaker runs for a step: its network and isolation stand elsewhere for each kind of job. */
function jobOf({ type, arguments: args }: Step) {
  const training = type === "Tuning" ? (at(args, "TrainingJobDefinition") ?? args) : args;
  const network = type === "Processing" ? at(args, "NetworkConfig") : training;
  const resources =
    type === "Processing" ? at(args, "ProcessingResources.ClusterConfig") : at(training, "ResourceConfig");
  const output =
    type === "Processing" ? at(args, "ProcessingOutputConfig") : at(training, "OutputDataConfig");
  return { training, network, resources, output };
}

function eachJob(rule: (step: Step, job: ReturnType<typeof jobOf>) => boolean | string | undefined) {
  return each([PIPELINE], (pipeline) =>
    stepsOf(pipeline)
      .filter(({ type }) => JOBS.includes(type))
      .map((step) => {
        const problem = rule(step, jobOf(step));
        return problem === true ? `Step ${step.name}` : problem ? `Step ${step.name}: ${problem}` : undefined;
      }),
  );
}

function bucketNamed(stack: Stack, name: string): string | undefined {
  const bucket = stack.ofType("aws:s3/bucket:Bucket").find((candidate) => candidate.name === name);
  return text(bucket?.properties.bucket);
}

export const jobPolicies: readonly Policy[] = [
  {
    id: "sagemaker-job-network-isolation",
    title: "Every job runs without a network of its own",
    text: "Code that trains, one's own or a library's, can then send data nowhere; SageMaker brings and takes it.",
    phase: "deployment",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["SC-7", "AC-4"] },
    remedy: "Set EnableNetworkIsolation in the step's job",
    check: eachJob((_, { network }) => at(network, "EnableNetworkIsolation") !== true),
  },
  {
    id: "sagemaker-job-in-vpc",
    title: "Every job runs in the account's network",
    text: "Data is brought through the endpoints of the VPC, whose policies and flow logs then hold for it.",
    phase: "deployment",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["SC-7"] },
    remedy: "Set VpcConfig with subnets and security groups in the step's job",
    check: eachJob(
      (_, { network }) =>
        missing(at(network, "VpcConfig.Subnets")) || missing(at(network, "VpcConfig.SecurityGroupIds")),
    ),
  },
  {
    id: "sagemaker-job-encrypted",
    title: "Every job encrypts its volumes and outputs with a customer managed key",
    text: "Copies of the data lie on the volumes of jobs, and models carry what they learned from it.",
    phase: "deployment",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["SC-28"] },
    remedy: "Set VolumeKmsKeyId and the output's KmsKeyId",
    check: eachJob((_, { resources, output }) => {
      if (missing(at(resources, "VolumeKmsKeyId"))) return "its volume has no key";
      return missing(at(output, "KmsKeyId")) ? "its output has no key" : undefined;
    }),
  },
  {
    id: "sagemaker-job-traffic-encrypted",
    title: "Instances of a job encrypt what they tell each other",
    text: "Distributed training sends gradients and samples between its instances.",
    phase: "deployment",
    severity: "medium",
    levels: IN_PRODUCTION,
    controls: { nist: ["SC-8"] },
    remedy: "Set EnableInterContainerTrafficEncryption; the profile production does",
    check: eachJob((_, { network }) => at(network, "EnableInterContainerTrafficEncryption") !== true),
  },
  {
    id: "sagemaker-job-ends",
    title: "Every job has a longest run, and one on spot waits at least as long and keeps checkpoints",
    text: "A job without an end is paid for until somebody notices; one on spot that can't wait is stopped in vain, and without checkpoints its work is lost.",
    phase: "deployment",
    severity: "medium",
    levels: ALWAYS,
    controls: { nist: ["SC-6"] },
    remedy: "Set MaxRuntimeInSeconds, MaxWaitTimeInSeconds ≥ it, and a CheckpointConfig",
    check: eachJob((step, { training }) => {
      const stop = at(training, "StoppingCondition");
      const run = at(stop, "MaxRuntimeInSeconds");
      if (typeof run !== "number") return "it has no longest run";
      if (step.type === "Processing" || at(training, "EnableManagedSpotTraining") !== true) return undefined;
      const wait = at(stop, "MaxWaitTimeInSeconds");
      if (typeof wait !== "number" || wait < run) return "on spot it waits shorter than it may run";
      return missing(at(training, "CheckpointConfig.S3Uri")) ? "on spot it keeps no checkpoints" : undefined;
    }),
  },
  {
    id: "training-on-validated-data-only",
    title: "No training reads data that wasn't validated",
    text: "Who can write to the raw bucket could otherwise teach the model whatever they like.",
    phase: "deployment",
    severity: "critical",
    levels: ALWAYS,
    controls: { nist: ["SI-10", "SI-7"] },
    remedy: "Read from the validated or features bucket",
    check: each([PIPELINE], (pipeline, stack) => {
      const unvalidated = ["raw", "quarantine"]
        .map((name) => bucketNamed(stack, name))
        .filter((name) => name !== undefined);
      const read = allTexts(json(pipeline.properties.pipelineDefinition));
      return unvalidated
        .filter((name) => read.some((line) => line.startsWith(`s3://${name}`)))
        .map((name) => `It reads s3://${name}`);
    }),
  },
  {
    id: "model-passes-quality-gate",
    title: "A model is registered only behind a quality gate",
    text: "A condition on the evaluation decides, not the fact that a training came to its end.",
    phase: "deployment",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["SA-11", "CM-3"] },
    remedy: "Put the RegisterModel step behind a Condition step on the evaluation",
    check: each([PIPELINE], (pipeline) =>
      stepsOf(pipeline)
        .filter(({ type, gated }) => /^(RegisterModel|Model)$/.test(type) && !gated)
        .map(({ name }) => `Step ${name} follows no condition`),
    ),
  },
  {
    id: "model-waits-for-approval",
    title: "A registered model waits for a person's approval",
    text: "Nothing goes into use because a pipeline said so; somebody answers for it by name.",
    phase: "deployment",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["CM-3", "CM-5"] },
    remedy: "Register with ModelApprovalStatus PendingManualApproval",
    check: each([PIPELINE], (pipeline) =>
      stepsOf(pipeline)
        .filter(({ type }) => type === "RegisterModel")
        .filter(({ arguments: args }) => at(args, "ModelApprovalStatus") !== "PendingManualApproval")
        .map(({ name }) => `Step ${name}`),
    ),
  },
  {
    id: "model-group-policy-restricted",
    title: "Models of a group are readable to named principals only",
    text: "A model package group that another account may read gives away what was learned.",
    phase: "deployment",
    severity: "high",
    levels: ALWAYS,
    controls: { nist: ["AC-3"] },
    remedy: "Name the principals in the group's resource policy",
    check: each(["aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy"], ({ properties: bag }) =>
      list(at(json(bag.resourcePolicy), "Statement")).some(
        (statement) =>
          at(statement, "Effect") === "Allow" &&
          (at(statement, "Principal") === "*" || at(statement, "Principal.AWS") === "*") &&
          Object.keys(properties(at(statement, "Condition"))).length === 0,
      ),
    ),
  },
  {
    id: "sagemaker-notebook-encrypted",
    title: "Every notebook's volume is encrypted with a customer managed key",
    text: "People copy data onto notebooks.",
    phase: "deployment",
    severity: "high",
    levels: ALWAYS,
    controls: { config: ["sagemaker-notebook-instance-kms-key-configured"], nist: ["SC-28"] },
    remedy: "Set kmsKeyId on the notebook",
    check: each([NOTEBOOK], ({ properties: bag }) => missing(bag.kmsKeyId)),
  },
  {
    id: "sagemaker-notebook-no-direct-internet-access",
    title: "No notebook has a way to the internet of its own",
    text: "Otherwise a notebook carries data past every endpoint policy and flow log.",
    phase: "deployment",
    severity: "high",
    levels: IN_PRODUCTION,
    controls: {
      config: ["sagemaker-notebook-no-direct-internet-access", "sagemaker-notebook-instance-inside-vpc"],
      fsbp: ["SageMaker.1", "SageMaker.2"],
      nist: ["SC-7", "AC-4"],
    },
    remedy: "Set directInternetAccess to Disabled, with a subnet and security groups",
    check: each(
      [NOTEBOOK],
      ({ properties: bag }) => bag.directInternetAccess !== "Disabled" || missing(bag.subnetId),
    ),
  },
  {
    id: "sagemaker-notebook-no-root",
    title: "Nobody is root on a notebook",
    text: "Root can switch off what guards and observes the notebook.",
    phase: "deployment",
    severity: "medium",
    levels: ALWAYS,
    controls: {
      config: ["sagemaker-notebook-instance-root-access-check"],
      fsbp: ["SageMaker.3"],
      nist: ["AC-6"],
    },
    remedy: "Set rootAccess to Disabled",
    check: each([NOTEBOOK], ({ properties: bag }) => bag.rootAccess !== "Disabled"),
  },
  {
    id: "sagemaker-notebook-stops",
    title: "Notebooks are stopped by a schedule",
    text: "A notebook that runs over the weekend costs more than the training it was for.",
    phase: "deployment",
    severity: "low",
    levels: ALWAYS,
    controls: {},
    remedy: "Add a schedule that stops the notebook",
    check: each([NOTEBOOK], (notebook, stack) => {
      const name = text(notebook.properties.name);
      const stops = stack.ofType("aws:scheduler/schedule:Schedule").some(({ properties: bag }) => {
        const target = allTexts(bag.target).join(" ");
        return /stopNotebookInstance/i.test(target) || (name !== undefined && target.includes(name));
      });
      return !stops;
    }),
  },
  {
    id: "sagemaker-model-isolated",
    title: "A deployed model runs isolated and in the account's network",
    text: "A container that serves has no reason to call anybody.",
    phase: "deployment",
    severity: "high",
    levels: IN_PRODUCTION,
    controls: { nist: ["SC-7"] },
    remedy: "Set enableNetworkIsolation and vpcConfig on the model",
    check: each(["aws:sagemaker/model:Model"], ({ properties: bag }) => [
      bag.enableNetworkIsolation !== true && "It has a network",
      missing(at(bag, "vpcConfig.subnets")) && "It is in no VPC",
    ]),
  },
  {
    id: "sagemaker-endpoint-encrypted",
    title: "Every endpoint encrypts its volumes with a customer managed key",
    text: "The model, and with data capture the requests too, lie on them. Serverless endpoints have none.",
    phase: "deployment",
    severity: "medium",
    levels: ALWAYS,
    controls: {
      config: ["sagemaker-endpoint-configuration-kms-key-configured"],
      nist: ["SC-28"],
    },
    remedy: "Set kmsKeyArn on the endpoint configuration",
    check: each(
      ["aws:sagemaker/endpointConfiguration:EndpointConfiguration"],
      ({ properties: bag }) => !isServerless(bag.productionVariants) && missing(bag.kmsKeyArn),
    ),
  },
  {
    id: "endpoint-captures-data",
    title: "Every endpoint captures requests and predictions",
    text: "What a model was asked and said is what drift and quality are measured on. Serverless endpoints can't; there the gate in front of them does.",
    phase: "learning",
    severity: "medium",
    levels: ALWAYS,
    controls: { nist: ["AU-12", "SI-4"] },
    remedy: "Set dataCaptureConfig with enableCapture and a key",
    check: each(
      ["aws:sagemaker/endpointConfiguration:EndpointConfiguration"],
      ({ properties: bag }) =>
        !isServerless(bag.productionVariants) && at(bag, "dataCaptureConfig.enableCapture") !== true,
    ),
  },
];

function isServerless(variants: unknown): boolean {
  return list(variants).some((variant) => at(variant, "serverlessConfig") !== undefined);
}
