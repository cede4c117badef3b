import type { S3Client } from "@aws-sdk/client-s3";
import { endpointNames, VARIANT } from "../../programs/serving/endpoints.ts";
import type { Version } from "./documents.ts";
import type { RecordedReleases } from "./recorded-release.ts";
import type { Endpoints } from "./sagemaker-endpoints.ts";
import type { Serving } from "./serving.ts";
import type { Place } from "./settings.ts";
import { divideTraffic, type Traffic } from "./traffic.ts";

type Asked = Pick<Version, "transform">;

const transformOf = ({ transform }: Asked) => (transform === undefined ? {} : { transform });

/** Who gets no request needs no transform. */
const shareOf = ({ transform }: Asked, percent: number): Traffic[string] =>
  transform === undefined || percent === 0 ? percent : { percent, transform };

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
  const divide = (shares: Readonly<Traffic>, confirmed?: () => Promise<void>) =>
    divideTraffic(s3, place.modelsBucket, shares, confirmed);
  const giveBack: Serving["giveBack"] = async ({ recorded }) => {
    const { serving, free } = turns(recorded);
    await divide({ [serving]: recorded === undefined ? 0 : shareOf(recorded, 100), [free]: 0 });
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
      const shares =
        recorded === undefined
          ? { [free]: shareOf(state.version, 100), [serving]: 0 }
          : { [free]: shareOf(state.version, percent), [serving]: shareOf(recorded, 100 - percent) };
      await divide(shares, () => confirm(state.releaseId));
    },
    interrupt: giveBack,
    giveBack,
    found: ({ state, recorded }) => ({
      endpoint: { name: turns(recorded).free, variantName: VARIANT },
      made: { ...state.live },
      ...transformOf(state.version),
    }),
    goTo: async ({ version }, recorded, settings) => {
      const { serving, free } = turns(recorded);
      const made = await endpoints.make(version, "live", settings);
      await endpoints.bringUp(free, made.configName, settings);
      await divide({ [free]: shareOf(version, 100), [serving]: 0 });
      return { endpoint: { name: free, variantName: VARIANT }, made, ...transformOf(version) };
    },
  };
}
