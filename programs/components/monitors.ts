import * as pulumi from "@pulumi/pulumi";
import { builtInMonitors } from "../monitor-kinds.ts";
import { functionSchedule, type ScheduledFunctionArgs } from "./function-schedule.ts";
import { HandlerFunction } from "./handler-function.ts";

/** The function that watches the model in use, and a schedule for each kind of watching. */
export class Monitors extends pulumi.ComponentResource {
  readonly handler: HandlerFunction;

  constructor(name: string, args: ScheduledFunctionArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:Monitors", name, {}, opts);
    const { spec } = args.setting;
    this.handler = new HandlerFunction("monitor", args, { parent: this });
    for (const kind of builtInMonitors(spec)) {
      const description = `Monitors ${kind.replace("-", " ")}`;
      const expression = spec.monitoring.schedule;
      functionSchedule(
        `${kind}-schedule`,
        this.handler,
        { part: kind, description, expression, input: { kind } },
        args,
        this,
      );
    }
    this.registerOutputs({});
  }
}
