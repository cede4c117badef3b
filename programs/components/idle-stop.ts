import * as pulumi from "@pulumi/pulumi";
import { STAGES } from "../serving/endpoints.ts";
import { functionSchedule, type ScheduledFunctionArgs } from "./function-schedule.ts";
import { HandlerFunction } from "./handler-function.ts";

/** Endpoints that only try a version are looked at as often as a forgotten one may run in vain. */
const ENDPOINT_SCHEDULE = "rate(1 hour)";

/** Stops on time what costs while nobody uses it: the notebook, and endpoints of development and staging. */
export class IdleStop extends pulumi.ComponentResource {
  constructor(name: string, args: ScheduledFunctionArgs, opts: pulumi.ComponentResourceOptions) {
    super("aidlc:component:IdleStop", name, {}, opts);
    const { names, spec } = args.setting;
    const stop = new HandlerFunction("stop-idle", args, { parent: this });
    const schedule = (what: "endpoints" | "notebooks", stopped: readonly string[], expression: string) => {
      const part = `stop-${what}`;
      const description = `Stops idle ${what}`;
      functionSchedule(part, stop, { part, description, expression, input: { [what]: stopped } }, args, this);
    };
    schedule("endpoints", STAGES.map(names.named), ENDPOINT_SCHEDULE);
    if (spec.notebook !== undefined)
      schedule("notebooks", [names.named("notebook")], spec.notebook.stopSchedule);
    this.registerOutputs({});
  }
}
