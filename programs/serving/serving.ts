import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { HandlerFunction } from "../components/handler-function.ts";
import { metricAlarm } from "../components/pipeline-alarms.ts";
import { trafficAlarms } from "./alarms.ts";
import { ContainerServing } from "./container-serving.ts";
import { Edge } from "./edge/edge.ts";
import { EndpointServing } from "./endpoint-serving.ts";
import { FunctionServing } from "./function-serving.ts";
import { BROUGHT_UP, type ServingArgs, type ServingMode } from "./mode-serving.ts";
import { PredictionApi } from "./prediction-api.ts";
import { ReleaseGuard } from "./release-guard.ts";
import type { ServingOutputs } from "./serving-outputs.ts";
import { traceRequests } from "./tracing.ts";

/** How predictions are asked for and answered: the API, its gate, what runs the model, and what watches both. */
export class Serving extends pulumi.ComponentResource {
  readonly guard: ReleaseGuard;
  readonly alarmArns: readonly pulumi.Output<string>[];
  readonly #args: ServingArgs;
  readonly #mode: ServingMode;
  readonly #api: PredictionApi;
  readonly #edge: Edge | undefined;

  constructor(name: string, args: ServingArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:Serving", name, {}, opts);
    const { setting, keys, buckets, tags } = args;
    this.#args = args;
    this.guard = new ReleaseGuard("guard", args, { parent: this });
    const others = trafficAlarms(setting.spec, setting.names).map((alarm) => metricAlarm(alarm, args, this));
    const gate = new HandlerFunction("gate", args, { parent: this });
    const authorizer =
      setting.spec.serving.auth === "jwt"
        ? new HandlerFunction("authorizer", args, { parent: this })
        : undefined;
    this.#mode = this.mode();
    this.#api = new PredictionApi("api", { setting, keys, gate, authorizer, tags }, { parent: this });
    traceRequests(setting, this.#api.stage.arn, tags, this);
    this.#edge =
      setting.spec.profile === "production"
        ? new Edge(
            "edge",
            {
              setting,
              keys,
              accessLogs: buckets["access-logs"],
              apiId: this.#api.id,
              stageArn: this.#api.stage.arn,
              tags,
            },
            { parent: this },
          )
        : undefined;
    this.tellGate();
    if (this.#mode.broughtUp !== undefined) this.tellReleases(this.#mode.broughtUp);
    this.alarmArns = [...this.guard.arns, ...others.map(({ arn }) => arn), ...(this.#mode.alarmArns ?? [])];
    this.registerOutputs({});
  }

  private mode(): ServingMode {
    const { serving } = this.#args.setting.spec;
    const shifted = { ...this.#args, guardAlarmNames: this.guard.alarmNames };
    if (serving.mode === "lambda") return new FunctionServing("function", shifted, { parent: this });
    if (serving.mode !== "ecs") return new EndpointServing("endpoint", this.#args, { parent: this });
    const { internalDomain } = serving;
    if (internalDomain === undefined) {
      throw new Error("Serving mode ecs without serving.internalDomain has no certificate to serve TLS with");
    }
    return new ContainerServing("containers", { ...shifted, domain: internalDomain }, { parent: this });
  }

  /** What the gate asks; it reads it at run time. */
  private tellGate(): void {
    const { setting, tags } = this.#args;
    new aws.ssm.Parameter(
      "serving-backend",
      {
        name: setting.names.parameter("serving/backend"),
        description: "What the gate asks",
        type: "String",
        tier: "Standard",
        insecureValue: pulumi.jsonStringify(this.#mode.backend),
        tags,
      },
      { parent: this },
    );
  }

  /** That it changed is the event by which a version that nothing could try before is tried. */
  private tellReleases(broughtUp: pulumi.Output<string>): void {
    const { setting, tags } = this.#args;
    new aws.ssm.Parameter(
      "release-brought-up",
      {
        name: setting.names.parameter(BROUGHT_UP),
        description: "The version that the program brought up",
        type: "String",
        tier: "Standard",
        insecureValue: broughtUp,
        tags,
      },
      { parent: this },
    );
  }

  outputs(): pulumi.Output<ServingOutputs> {
    const { mode } = this.#args.setting.spec.serving;
    const { stage, id } = this.#api;
    const edge = this.#edge?.distribution;
    return pulumi
      .all([
        {
          apiId: id,
          url: stage.url,
          stageArn: stage.arn,
          apiKeyId: stage.apiKeyId,
          usagePlanId: stage.usagePlanId,
        },
        { alarmName: this.guard.name, alarmNames: this.guard.alarmNames },
        pulumi.output(this.#mode.targets),
        edge && { distributionId: edge.id, domainName: edge.domainName },
      ])
      .apply(([api, releaseGuard, targets, distribution]) => ({
        mode,
        api,
        releaseGuard,
        ...targets,
        ...(distribution && { edge: distribution }),
      }));
  }
}
