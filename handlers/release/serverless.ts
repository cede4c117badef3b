import type { S3Client } from "@aws-sdk/client-s3";
import { endpointNames, VARIANT } from "../../programs/serving/endpoints.ts";
import type { RecordedReleases } from "./recorded-release.ts";
import type { Endpoints } from "./sagemaker-endpoints.ts";
import type { Serving } from "./serving.ts";
import type { Place } from "./settings.ts";
import { divideTraffic } from "./traffic.ts";

/**
 * Two endpoints take turns and the gate divides the traffic. The one that doesn't serve keeps the version before, until the next
 * release needs it: the way back is one small document long.
 */
export function serverless(
  trials: Pick<Serving, "deploy" | "ask" | "endTrials" | "discard">,
  endpoints: Endpoints,
  s3: S3Client,
  place: Place,
  confirm: (releaseId: string) => Promise<void>,
): Serving {
  const [blue = "", green = ""] = endpointNames("serverless", place);
  /** Which endpoint serves, and which is free. */
  const turns = (recorded: RecordedReleases | undefined) =>
    recorded?.endpoint?.name === blue ? { serving: blue, free: green } : { serving: green, free: blue };
  const divide = (share: number, to: string, rest: string, confirmed?: () => Promise<void>) =>
    divideTraffic(s3, place.modelsBucket, { [to]: share, [rest]: 100 - share }, confirmed);
  const giveBack: Serving["giveBack"] = async ({ recorded }) => {
    const { serving, free } = turns(recorded);
    if (recorded === undefined) {
      await divideTraffic(s3, place.modelsBucket, { [blue]: 0, [green]: 0 });
    } else await divide(100, serving, free);
  };
  return {
    ...trials,
    shift: async ({ state, recorded, settings, note }, percent) => {
      const { serving, free } = turns(recorded);
      const live = state.live ?? (await endpoints.make(state.version, "live", settings));
      await note({ live });
      await endpoints.bringUp(free, live.configName, settings);
      await note({ state: "shifting" });
      // Before the first release nobody else answers.
      const share = recorded === undefined ? 100 : percent;
      await divide(share, free, serving, () => confirm(state.releaseId));
    },
    interrupt: giveBack,
    giveBack,
    found: ({ state, recorded }) => ({
      endpoint: { name: turns(recorded).free, variantName: VARIANT },
      made: { ...state.live },
    }),
    goTo: async ({ version }, recorded, settings) => {
      const { serving, free } = turns(recorded);
      const made = await endpoints.make(version, "live", settings);
      await endpoints.bringUp(free, made.configName, settings);
      await divide(100, free, serving);
      return { endpoint: { name: free, variantName: VARIANT }, made };
    },
  };
}
