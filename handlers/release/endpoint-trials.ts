import {
  InvokeEndpointCommand,
  type SageMakerRuntimeClient,
  SageMakerRuntimeServiceException,
} from "@aws-sdk/client-sagemaker-runtime";
import { STAGES } from "../../programs/serving/endpoints.ts";
import { NotYet, ReleaseFailed } from "./failures.ts";
import type { RecordedRelease } from "./recorded-release.ts";
import type { Endpoints } from "./sagemaker-endpoints.ts";
import type { Serving } from "./serving.ts";
import type { Place } from "./settings.ts";

/** A cold endpoint says so; the machine asks again. */
const NOT_READY = new Set(["ModelNotReadyException", "ServiceUnavailable", "ThrottlingException"]);

/** What the modes with endpoints have in common: versions are tried on endpoints of their own. */
export function endpointTrials(
  endpoints: Endpoints,
  runtime: SageMakerRuntimeClient,
  place: Place,
): Pick<Serving, "deploy" | "ask" | "endTrials" | "discard"> {
  return {
    deploy: async ({ state, settings, note }, stage) => {
      const trial = state.trial ?? (await endpoints.make(state.version, "trial", settings));
      await note({ trial });
      await endpoints.bringUp(place.named(stage), trial.configName, settings);
    },
    ask: async (_situation, stage, { contentType, accept = contentType, body }) => {
      const startedMs = performance.now();
      try {
        const answer = await runtime.send(
          new InvokeEndpointCommand({
            EndpointName: place.named(stage),
            ContentType: contentType,
            Accept: accept,
            Body: Buffer.from(body),
          }),
        );
        return {
          contentType: answer.ContentType ?? contentType,
          body: Buffer.from(answer.Body ?? []).toString(),
          ms: performance.now() - startedMs,
        };
      } catch (cause) {
        if (!(cause instanceof SageMakerRuntimeServiceException)) throw cause;
        if (NOT_READY.has(cause.name))
          throw new NotYet(`The endpoint of ${stage} is not ready: ${cause.name}`);
        // The message may repeat the model's own words about the request.
        throw new ReleaseFailed("TestsFailed", `The endpoint of ${stage} answers with ${cause.name}`, {
          cause,
        });
      }
    },
    endTrials: async ({ trial }) => {
      if (trial === undefined) return;
      for (const stage of STAGES) await endpoints.remove(place.named(stage), trial.configName);
    },
    discard: async ({ made }, kept) => {
      const used = new Set(
        kept.flatMap((each: RecordedRelease) => [each.made.configName, each.made.modelName]),
      );
      const { configName, modelName } = made;
      await endpoints.discard({
        ...(configName !== undefined && !used.has(configName) && { configName }),
        ...(modelName !== undefined && !used.has(modelName) && { modelName }),
      });
    },
  };
}
