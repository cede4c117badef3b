import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { DeliveryPipeline } from "../components/delivery-pipeline.ts";
import { DevNotebook } from "../components/dev-notebook.ts";
import { ExperimentTracking } from "../components/experiment-tracking.ts";
import { IdleStop } from "../components/idle-stop.ts";
import { ModelRegistry } from "../components/model-registry.ts";
import type { JobNetwork } from "../components/pipeline-roles.ts";
import { ReleasePath } from "../components/release-path.ts";
import { TrainingPipeline } from "../components/training-pipeline.ts";
import { configurationParameters } from "../configuration.ts";
import type { NetworkOutputs } from "../inputs.ts";
import { Serving } from "../serving/serving.ts";
import type { Infrastructure } from "./infrastructure.ts";
import { Phase } from "./phase.ts";
import type { PipelineSetting } from "./pipeline-setting.ts";

export interface DeploymentArgs {
  readonly infrastructure: Infrastructure;
  /** Where jobs, functions and tasks run. */
  readonly network: JobNetwork;
  readonly surroundings: pulumi.Input<NetworkOutputs>;
}

/** From accepted data to a registered model that waits for approval, and the settings that all of it reads. */
export class Deployment extends Phase {
  readonly training: TrainingPipeline;
  readonly serving: Serving;
  readonly registry: ModelRegistry;
  readonly experiments: ExperimentTracking;
  readonly releases: ReleasePath;
  readonly delivery: DeliveryPipeline;
  readonly notebook: DevNotebook | undefined;

  constructor(
    setting: PipelineSetting,
    { infrastructure, network, surroundings }: DeploymentArgs,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("deployment", opts);
    const { keys, roles, alerts } = infrastructure;
    this.training = new TrainingPipeline(
      "training",
      { setting, keys, roles, alerts, network, tags: this.tags },
      { parent: this },
    );
    this.storeConfiguration(setting);
    this.serving = new Serving(
      "serving",
      {
        setting,
        keys,
        buckets: infrastructure.buckets,
        roles,
        alerts,
        inferenceImages: infrastructure.repositories.inference,
        network,
        surroundings,
        tags: this.tags,
      },
      { parent: this },
    );
    const handlers = { setting, keys, roles, alerts, network, tags: this.tags };
    this.registry = new ModelRegistry("registry", handlers, { parent: this });
    this.experiments = new ExperimentTracking(
      "experiments",
      { setting, roles, models: infrastructure.buckets.models, tags: this.tags },
      { parent: this },
    );
    this.releases = new ReleasePath(
      "releases",
      {
        ...handlers,
        trainingPipelineName: this.training.pipeline.pipelineName,
      },
      { parent: this },
    );
    this.delivery = new DeliveryPipeline(
      "delivery",
      {
        setting,
        roles,
        alerts,
        logGroup: infrastructure.logGroups.cicd,
        releaseMachineArn: this.releases.machine.arn,
        tags: this.tags,
      },
      { parent: this },
    );
    new IdleStop(
      "idle-stop",
      { ...handlers, scheduleGroupName: infrastructure.schedules.name },
      { parent: this },
    );
    if (setting.spec.notebook !== undefined) {
      this.notebook = new DevNotebook(
        "notebook",
        {
          setting,
          notebook: setting.spec.notebook,
          keys,
          roles,
          network,
          tags: this.tags,
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }

  private storeConfiguration({ names, spec }: PipelineSetting): void {
    for (const { name, description, value } of configurationParameters(spec)) {
      new aws.ssm.Parameter(
        name.replaceAll("/", "-"),
        {
          name: names.parameter(name),
          description,
          type: "String",
          tier: "Standard",
          // Not a secret: `value` would hide every change of a threshold in previews.
          insecureValue: value,
          tags: this.tags,
        },
        { parent: this },
      );
    }
  }
}
