import type { Requirement } from "../requirement.ts";

export const DEPLOYMENT: readonly Requirement[] = [
  {
    id: "D1",
    promise:
      "A SageMaker pipeline processes, trains on Managed Spot, evaluates, and registers behind a quality gate, isolated and encrypted",
    from: "learning",
    keptBy: ["resources"],
    policies: [
      "model-passes-quality-gate",
      "sagemaker-job-in-vpc",
      "sagemaker-job-network-isolation",
      "sagemaker-job-encrypted",
    ],
    pipeline: ["sagemaker/pipeline:Pipeline"],
    tests: [
      [
        "programs/pipeline-definition.test.ts",
        "processes, trains, evaluates, and registers behind the quality gate",
      ],
      [
        "handlers/pin-manifest.aws.test.ts",
        "lists what was accepted when the execution began, whatever is accepted afterwards",
      ],
      [
        "programs/pipeline-definition.test.ts",
        "trains on Managed Spot with checkpoints, within the spec's times",
      ],
      [
        "programs/pipeline-definition.test.ts",
        "runs every job isolated, on the pipeline's subnets and in its security group",
      ],
    ],
  },
  {
    id: "D2",
    promise: "Hyperparameters are tuned where the spec asks for it",
    from: "learning",
    keptBy: ["resources"],
    pipeline: ["sagemaker/pipeline:Pipeline"],
    tests: [
      ["programs/pipeline-definition.test.ts", "tunes instead of training once"],
      ["programs/pipeline-definition.test.ts", "searches the declared ranges for the quality gate's metric"],
    ],
  },
  {
    id: "D3",
    promise: "Experiments are tracked with MLflow; training has a dashboard and alarms",
    from: "learning",
    keptBy: ["resources"],
    pipeline: [
      "sagemaker/mlflowApp:MlflowApp",
      "cloudwatch/dashboard:Dashboard",
      ["cloudwatch/metricAlarm:MetricAlarm", /run-failed/],
    ],
    tests: [
      [
        "programs/components/dev-notebook.test.ts",
        "keeps its artifacts in the models bucket and registers no model by itself",
      ],
      ["programs/components/retraining.test.ts", "is told with its execution or job, of this pipeline only"],
    ],
    notYet: "registered versions are not logged to MLflow",
  },
  {
    id: "D4",
    promise:
      "Models are versioned in a registry; approving or rejecting one takes a reason, an identity and cross-checks",
    from: "learning",
    keptBy: ["resources", "API"],
    policies: ["model-waits-for-approval", "model-group-policy-restricted"],
    pipeline: [
      "sagemaker/modelPackageGroup:ModelPackageGroup",
      "sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy",
    ],
    tests: [
      ["programs/pipeline-definition.test.ts", "registers a model for approval, with where it came from"],
      [
        "programs/components/model-registry.test.ts",
        "lets the cross-check reject a version and never approve one",
      ],
      [
        "programs/delivery/registry-policy.test.ts",
        "lets no role of the pipeline approve, while one may reject",
      ],
      [
        "handlers/evaluate-gate.aws.test.ts",
        "rejects a version that misses the gate of today's spec, with the reason",
      ],
      ["handlers/evaluate-gate.aws.test.ts", "never asks for an approval"],
    ],
    notYet: "approval by the API",
  },
  {
    id: "D5",
    promise: "Models are signed with an asymmetric key and verified before every deployment",
    from: "learning",
    keptBy: ["handlers"],
    pipeline: [["kms/key:Key", /sign/]],
    tests: [
      [
        "programs/components/model-registry.test.ts",
        "signs with a key that only signing may use and whose signatures only verification may check",
      ],
      [
        "programs/delivery/release-machine.test.ts",
        "is refused before anything is deployed when the signature is wrong",
      ],
      [
        "handlers/sign-model.aws.test.ts",
        "signs the digest of the canonical manifest by a key whose public half proves it",
      ],
      [
        "handlers/verify-model.aws.test.ts",
        "lets a version pass whose every byte is as it was signed, as often as it is asked",
      ],
      ["handlers/verify-model.aws.test.ts", "refuses a version %s: %s"],
    ],
  },
  {
    id: "D6",
    promise:
      "A model is served serverless, from a real-time endpoint, from a Lambda container or from ECS behind a load balancer",
    from: "learning",
    keptBy: ["resources", "handlers"],
    pipeline: [["lambda/function:Function", /^gate$/]],
    productionPipeline: ["ecs/service:Service", "lb/loadBalancer:LoadBalancer"],
    tests: [
      [
        "programs/serving/endpoint-serving.test.ts",
        "take turns under two names, whose log groups wait for them, encrypted and with an end",
      ],
      [
        "programs/serving/endpoint-serving.test.ts",
        "is there before its first model in all but its scaling, which needs something to scale",
      ],
      ["programs/serving/function-serving.test.ts", "runs the released image, by digest, under an alias"],
      [
        "programs/serving/container-serving.test.ts",
        "are reached from inside the network only, by TLS all the way",
      ],
      [
        "programs/examples.test.ts",
        "show every serving mode in production, and in learning those that cost nothing while nobody asks",
      ],
      ["handlers/gate.aws.test.ts", "answers with what the model says and the id by which labels are joined"],
      [
        "handlers/gate.aws.test.ts",
        "asks for the version's features in CSV, for JSON, and hands the answer on",
      ],
      [
        "handlers/release/built-in.aws.test.ts",
        "divides the traffic in one document with the transform of each version",
      ],
      [
        "programs/spec/algorithm-rules.test.ts",
        "can't be served by %s, and the problem says what can be done",
      ],
      ["handlers/gate.aws.test.ts", "asks the alias with the same body and captures its answer"],
      ["handlers/gate.aws.test.ts", "speaks TLS to the balancer's address, which proves the internal name"],
    ],
  },
  {
    id: "D7",
    promise: "An API in front of the model authenticates, throttles, validates and logs",
    from: "learning",
    keptBy: ["resources", "handlers"],
    policies: ["api-method-authorized", "api-throttled", "api-request-validated", "api-stage-access-logged"],
    pipeline: [
      "apigateway/restApi:RestApi",
      "apigateway/stage:Stage",
      "apigateway/usagePlan:UsagePlan",
      "apigateway/requestValidator:RequestValidator",
    ],
    tests: [
      ["programs/serving/prediction-api.test.ts", "lets nobody in without proof of identity"],
      ["programs/serving/prediction-api.test.ts", "limits all requests together, and each key by the day"],
      [
        "programs/serving/request-model.test.ts",
        "refuses unknown columns, empty rows and requests without rows",
      ],
      ["handlers/authorizer.test.ts", "opens every method of the API's stage to its subject"],
      [
        "handlers/gate.aws.test.ts",
        "refuses a request that breaks the schema with every place that does, and asks no model",
      ],
      [
        "handlers/gate.aws.test.ts",
        "logs confidence, latency and version of a prediction, and nothing of its content",
      ],
    ],
  },
  {
    id: "D8",
    promise:
      "CloudFront and a web application firewall with managed rules and a rate limit stand before the API",
    from: "production",
    keptBy: ["resources"],
    policies: ["api-behind-firewall", "cloudfront-secure"],
    pipeline: ["cloudfront/distribution:Distribution", "wafv2/webAcl:WebAcl"],
    tests: [
      [
        "programs/serving/edge/edge.test.ts",
        "guards the API itself too, which stays reachable under its own name",
      ],
      [
        "programs/serving/edge/edge.test.ts",
        "serves the API over TLS 1.2 and later under its own name, and keeps nothing",
      ],
    ],
  },
  {
    id: "D9",
    promise:
      "CodePipeline and CodeBuild scan dependencies, secrets and images, test, and wait for an approval",
    from: "learning",
    keptBy: ["resources"],
    policies: ["delivery-tests-before-deploy", "delivery-waits-for-approval", "delivery-artifacts-encrypted"],
    pipeline: ["codepipeline/pipeline:Pipeline", "codebuild/project:Project"],
    tests: [
      [
        "programs/components/delivery-pipeline.test.ts",
        "scans before anything runs, builds, tests, asks somebody, and trains",
      ],
      ["programs/delivery/buildspecs.test.ts", "stays shut when the findings are refused"],
    ],
  },
  {
    id: "D10",
    promise:
      "A release goes by stages: dev, integration tests, staging, smoke tests, a canary with bake time and alarms, then gradually to all",
    from: "learning",
    keptBy: ["resources", "handlers"],
    policies: ["deployment-in-steps"],
    pipeline: ["sfn/stateMachine:StateMachine"],
    tests: [
      [
        "programs/delivery/release-machine.test.ts",
        "verifies, tries, shifts step by step, watches each step and records",
      ],
      ["programs/delivery/release-machine.test.ts", "begin with the canary, grow, and end with everything"],
      [
        "handlers/release/serverless.aws.test.ts",
        "takes its turn from the first version to the next, step by step, and leaves no trial",
      ],
      [
        "handlers/release/serverless.aws.test.ts",
        "that fails its tests is withdrawn: its trials go, and the traffic was never touched",
      ],
      [
        "handlers/release/realtime.aws.test.ts",
        "has SageMaker shift under the guard's alarms, once, whenever it dies",
      ],
      [
        "handlers/release/function.aws.test.ts",
        "is tried once an update brought it up, and recorded with its number",
      ],
      [
        "handlers/release/tasks.aws.test.ts",
        "are tried through the callers' listener once they are steady, and recorded with their revision",
      ],
    ],
    notYet:
      "in the modes lambda and ecs the very first version is tried when it serves already, since nothing runs before it",
  },
  {
    id: "D11",
    promise: "A release is rolled back by itself on an alarm, and by the API to a recorded version",
    from: "learning",
    keptBy: ["handlers", "API"],
    tests: [
      ["programs/components/release-path.test.ts", "goes back when the alarm that guards releases rings"],
      ["handlers/release/serverless.aws.test.ts", "is taken back while it bakes, as soon as the guard rings"],
      ["handlers/release/rollbacks.aws.test.ts", "goes back to any recorded version that a person names"],
    ],
    notYet: "the API: a person invokes the function `release`",
  },
  {
    id: "D12",
    promise: "Capacity follows load and schedule",
    from: "production",
    keptBy: ["resources"],
    pipeline: [
      "appautoscaling/target:Target",
      "appautoscaling/policy:Policy",
      "appautoscaling/scheduledAction:ScheduledAction",
    ],
    tests: [
      [
        "programs/serving/endpoint-serving.test.ts",
        "follows its requests within its bounds, and known times, once it lives",
      ],
    ],
  },
  {
    id: "D13",
    promise: "Blue/green deployments shift traffic",
    from: "production",
    keptBy: ["resources"],
    policies: ["deployment-rolls-back-on-alarm"],
    pipeline: ["codedeploy/deploymentGroup:DeploymentGroup"],
    tests: [
      [
        "programs/serving/container-serving.test.ts",
        "are replaced blue by green, with both listeners and both target groups",
      ],
      [
        "programs/serving/function-serving.test.ts",
        "is shifted to a new version by the canary's share at a time, and back when an alarm rings",
      ],
      [
        "handlers/release/function.aws.test.ts",
        "publishes, tries the version under its number, and has CodeDeploy shift the alias, once",
      ],
      [
        "handlers/release/tasks.aws.test.ts",
        "registers a revision, tries its tasks before callers get them, and has CodeDeploy shift, once",
      ],
    ],
  },
  {
    id: "D14",
    promise: "Hyperparameters, thresholds and schedules are in the spec and in parameters, never in code",
    from: "learning",
    keptBy: ["spec", "resources"],
    policies: ["configuration-externalised"],
    pipeline: ["ssm/parameter:Parameter"],
    tests: [["programs/configuration.test.ts", "stands in one parameter per document where it fits"]],
  },
  {
    id: "D15",
    promise:
      "A notebook where the spec asks for one: encrypted, IMDSv2, without direct internet access in production, stopped on a schedule",
    from: "learning",
    keptBy: ["resources", "handlers"],
    policies: [
      "sagemaker-notebook-encrypted",
      "sagemaker-notebook-no-direct-internet-access",
      "sagemaker-notebook-stops",
    ],
    pipeline: ["sagemaker/notebookInstance:NotebookInstance", ["scheduler/schedule:Schedule", /notebook/]],
    tests: [
      ["programs/components/dev-notebook.test.ts", "is encrypted, without root and with IMDSv2"],
      [
        "programs/components/dev-notebook.test.ts",
        "has no way to the internet in production, only to the private subnets",
      ],
      [
        "programs/components/dev-notebook.test.ts",
        "is stopped by a function on time, because stopping a stopped one is an error",
      ],
      ["handlers/stop-idle.aws.test.ts", "is stopped while it runs, and left alone when it has stopped"],
    ],
  },
];
