import type { AwsAccount } from "../../programs/inputs.ts";
import { newResource } from "../../src/sandbox/computed.ts";
import { type ProviderConfiguration, partitionOf } from "../../src/sandbox/configuration.ts";
import { Schema } from "../../src/sandbox/schema.ts";
import type { PropertyMap } from "../../src/sandbox/values.ts";
import type { Inputs, StandIn } from "./run-program.ts";

/**
 * Answers with ids, ARNs and outputs of the form that AWS gives them. The same resource gets the same answer in every run, so
 * that runs can be compared and repeated.
 */
export function sandboxStandIn({ accountId, region }: AwsAccount): StandIn {
  const schema = new Schema();
  const configuration: ProviderConfiguration = {
    account: accountId,
    region,
    ...partitionOf(region),
    defaultTags: {},
    ignoredTagKeys: [],
    ignoredTagPrefixes: [],
  };
  const known = new Map<string, ReturnType<StandIn["create"]>>();
  const create = (token: string, inputs: Inputs) => {
    const type = schema.resource(token);
    if (type === undefined) throw new Error(`The sandbox doesn't know ${token}: add it to aws-facts.json`);
    const given = { revision: 1 };
    const { id, outputs } = newResource({
      type,
      inputs: inputs as PropertyMap,
      configuration,
      now: new Date(0),
      given,
    });
    return { id, state: outputs };
  };
  return {
    create: (type, name, inputs) => {
      if (!type.startsWith("aws:")) return { id: `${name}-id`, state: { ...inputs } };
      const key = JSON.stringify([type, name, inputs]);
      const answer = known.get(key) ?? create(type, inputs);
      known.set(key, answer);
      return answer;
    },
    call: (token, inputs) =>
      token.endsWith(":getAvailabilityZones")
        ? { names: ["a", "b", "c"].map((zone) => `${region}${zone}`) }
        : { ...inputs },
  };
}
