import {
  type DescribeEndpointCommandOutput,
  type SageMakerClient,
  UpdateEndpointCommand,
} from "@aws-sdk/client-sagemaker";
import { endpointNames, VARIANT } from "../../programs/serving/endpoints.ts";
import { NotYet, ReleaseFailed } from "./failures.ts";
import { guardrails } from "./guardrails.ts";
import { type Endpoints, failedEndpoint, isInBetween } from "./sagemaker-endpoints.ts";
import type { Serving } from "./serving.ts";
import type { Place } from "./settings.ts";

type Described = DescribeEndpointCommandOutput;

const changedAt = ({ LastModifiedTime }: Described) => LastModifiedTime?.toISOString() ?? "";

/** One endpoint, which SageMaker updates in place: its guardrails shift the traffic, watch the alarms and turn back by themselves. */
export function realtime(
  trials: Pick<Serving, "deploy" | "ask" | "endTrials" | "discard">,
  endpoints: Endpoints,
  sagemaker: SageMakerClient,
  place: Place,
): Serving {
  const [live = ""] = endpointNames("realtime", place);

  const update = (
    EndpointConfigName: string,
    more: Partial<ConstructorParameters<typeof UpdateEndpointCommand>[0]>,
  ) =>
    sagemaker.send(
      new UpdateEndpointCommand({
        EndpointName: live,
        EndpointConfigName,
        // Autoscaling's number of instances stays; what is captured is the configuration's.
        RetainAllVariantProperties: true,
        ExcludeRetainedVariantProperties: [{ VariantPropertyType: "DataCaptureConfig" }],
        ...more,
      }),
    );

  /** Without guardrails, whose alarms would ring because of what is to be replaced. */
  const bringBack = async (configName: string) => {
    const found = await endpoints.describe(live);
    if (found === undefined)
      throw new ReleaseFailed("NoWayBack", `Endpoint ${live} is gone: release a version anew`);
    if (isInBetween(found.EndpointStatus)) throw new NotYet(`Endpoint ${live} is ${found.EndpointStatus}`);
    if (found.EndpointStatus !== "InService") {
      throw new ReleaseFailed(
        "NoWayBack",
        `Endpoint ${live} is ${found.EndpointStatus}: delete it and release anew`,
      );
    }
    if (found.EndpointConfigName === configName) return;
    await update(configName, {});
    throw new NotYet(`Endpoint ${live} goes back to ${configName}`);
  };

  return {
    ...trials,
    startShift: async ({ state, settings, note }) => {
      const made = state.live ?? (await endpoints.make(state.version, "live", settings));
      await note({ live: made });
      const found = await endpoints.describe(live);
      if (found === undefined) {
        await note({ state: "shifting" });
        await endpoints.create(live, made.configName, settings);
        return;
      }
      if (found.EndpointConfigName === made.configName) return;
      if (isInBetween(found.EndpointStatus)) {
        if (wasAsked(state.update, made.configName)) return;
        throw new NotYet(`Endpoint ${live} is ${found.EndpointStatus}`);
      }
      if (found.EndpointStatus !== "InService") throw failedEndpoint(live, found);
      const changedBefore = changedAt(found);
      // It was asked for and SageMaker has turned back already: the next task tells.
      if (wasAsked(state.update, made.configName) && state.update?.changedBefore !== changedBefore) return;
      await note({
        state: "shifting",
        update: { config: made.configName, changedBefore },
        servedBefore: found.EndpointConfigName ?? "",
      });
      await update(made.configName, { DeploymentConfig: guardrails(settings.rollout, place.alarmNames) });
    },
    followShift: async ({ state }) => {
      const found = await endpoints.describe(live);
      if (found === undefined) return "failed";
      // It fails already, whatever it goes back to.
      if (found.EndpointStatus === "RollingBack" || found.EndpointStatus === "Deleting") return "failed";
      if (isInBetween(found.EndpointStatus)) return "running";
      const isShifted =
        found.EndpointStatus === "InService" && found.EndpointConfigName === state.live?.configName;
      return isShifted ? "shifted" : "failed";
    },
    // SageMaker has no way to end an update; its guardrails watch the very alarms themselves.
    interrupt: async () => undefined,
    giveBack: async ({ state, recorded }) => {
      const before = recorded?.made.configName ?? state.servedBefore;
      // Nothing served before: what failed must not go on.
      if (before === undefined) await endpoints.remove(live);
      else await bringBack(before);
    },
    found: ({ state }) => ({
      endpoint: { name: live, variantName: VARIANT },
      made: { ...state.live },
    }),
    goTo: async ({ version }, _recorded, settings) => {
      const made = await endpoints.make(version, "live", settings);
      await bringBack(made.configName);
      return { endpoint: { name: live, variantName: VARIANT }, made };
    },
  };
}

const wasAsked = (update: { readonly config: string } | undefined, config: string) =>
  update?.config === config;
