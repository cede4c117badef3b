import {
  GetAliasCommand,
  GetFunctionCommand,
  type GetFunctionCommandOutput,
  InvokeCommand,
  type LambdaClient,
  PublishVersionCommand,
  ResourceNotFoundException,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { ALIAS, PREDICTOR } from "../../programs/serving/function-names.ts";
import { MODEL_VARIABLE } from "../../programs/serving/task.ts";
import type { Deployments } from "./code-deploy.ts";
import type { ReleaseState } from "./documents.ts";
import { NotYet, ReleaseFailed } from "./failures.ts";
import type { Answer, Request, Serving } from "./serving.ts";
import type { Place } from "./settings.ts";

/**
 * A Lambda function behind an alias. A version of it is published and tried under its own number, which no caller reaches; then
 * CodeDeploy shifts the alias. Before the first release there is no function: recording one and updating the pipeline bring it up.
 */
export function lambdaFunction(lambda: LambdaClient, deployments: Deployments, { named }: Place): Serving {
  const FunctionName = named(PREDICTOR);
  const alias = { FunctionName, Name: ALIAS };

  const describe = async (Qualifier?: string): Promise<GetFunctionCommandOutput | undefined> => {
    try {
      return await lambda.send(new GetFunctionCommand({ FunctionName, ...(Qualifier && { Qualifier }) }));
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  };

  /** Points the function's unpublished state at the version. Throws `NotYet` until Lambda has done so. */
  const prepare = async (found: GetFunctionCommandOutput, { version }: ReleaseState) => {
    const { Configuration = {}, Code = {} } = found;
    if (Configuration.State === "Pending" || Configuration.LastUpdateStatus === "InProgress") {
      throw new NotYet(`Function ${FunctionName} is being updated`);
    }
    const ImageUri = `${version.repository}@${version.imageDigest}`;
    const revision = {
      FunctionName,
      ...(Configuration.RevisionId && { RevisionId: Configuration.RevisionId }),
    };
    if (Code.ImageUri !== ImageUri) {
      await lambda.send(new UpdateFunctionCodeCommand({ ...revision, ImageUri }));
      throw new NotYet(`Function ${FunctionName} takes the image of version ${version.number}`);
    }
    if (Configuration.LastUpdateStatus === "Failed") {
      throw new ReleaseFailed(
        "DeploymentFailed",
        `Function ${FunctionName} does not take ${ImageUri}: ${Configuration.LastUpdateStatusReasonCode}`,
      );
    }
    const variables = Configuration.Environment?.Variables ?? {};
    if (variables[MODEL_VARIABLE] !== version.modelPackageArn) {
      const Variables = { ...variables, [MODEL_VARIABLE]: version.modelPackageArn };
      await lambda.send(new UpdateFunctionConfigurationCommand({ ...revision, Environment: { Variables } }));
      throw new NotYet(`Function ${FunctionName} is told of version ${version.number}`);
    }
    return revision;
  };

  const pointAlias = async (FunctionVersion: string) => {
    const { FunctionVersion: now, RoutingConfig } = await lambda.send(new GetAliasCommand(alias));
    const isShared = Object.keys(RoutingConfig?.AdditionalVersionWeights ?? {}).length > 0;
    if (now === FunctionVersion && !isShared) return;
    await lambda.send(
      new UpdateAliasCommand({ ...alias, FunctionVersion, RoutingConfig: { AdditionalVersionWeights: {} } }),
    );
  };

  /** Asks a published version, by its number or by the alias. */
  const ask = async (Qualifier: string, { contentType, body }: Request): Promise<Answer> => {
    const startedMs = performance.now();
    const answer = await lambda.send(
      new InvokeCommand({ FunctionName, Qualifier, Payload: Buffer.from(body) }),
    );
    if (answer.FunctionError !== undefined) {
      throw new ReleaseFailed("TestsFailed", `Version ${Qualifier} fails: ${answer.FunctionError}`);
    }
    const ms = performance.now() - startedMs;
    return { contentType, body: answered(Buffer.from(answer.Payload ?? []).toString()), ms };
  };

  return {
    deploy: async ({ state, note }) => {
      let number = state.functionVersion;
      if (number === undefined) {
        const found = await describe();
        if (found === undefined) return;
        const revision = await prepare(found, state);
        // Lambda publishes nothing twice that hasn't changed since.
        number = (await lambda.send(new PublishVersionCommand(revision))).Version ?? "";
        await note({ functionVersion: number });
      }
      const published = (await describe(number))?.Configuration;
      if (published?.State === "Failed") {
        throw new ReleaseFailed(
          "DeploymentFailed",
          `Version ${number} of ${FunctionName}: ${published.StateReasonCode}`,
        );
      }
      if (published?.State === "Pending")
        throw new NotYet(`Version ${number} of ${FunctionName} is not ready`);
    },
    ask: async ({ state: { functionVersion } }, _stage, request) =>
      functionVersion === undefined ? undefined : ask(functionVersion, request),
    served: async () => {
      const found = await describe(ALIAS);
      if (found === undefined) return undefined;
      const { Version: functionVersion = "", State, Environment } = found.Configuration ?? {};
      if (State === "Pending") throw new NotYet(`Version ${functionVersion} of ${FunctionName} is not ready`);
      return {
        modelPackageArn: Environment?.Variables?.[MODEL_VARIABLE] ?? "",
        made: { functionVersion },
        ask: (request) => ask(functionVersion, request),
      };
    },
    startShift: async ({ state, note }) => {
      const { functionVersion } = state;
      if (functionVersion === undefined || state.deploymentId !== undefined) return;
      const { FunctionVersion: servedBefore = "" } = await lambda.send(new GetAliasCommand(alias));
      if (servedBefore === functionVersion) return;
      await note({ state: "shifting", servedBefore });
      const deploymentId = await deployments.start({
        name: state.releaseId,
        since: new Date(state.askedAt),
        appSpec: {
          version: 0.0,
          Resources: [
            {
              [PREDICTOR]: {
                Type: "AWS::Lambda::Function",
                Properties: {
                  Name: FunctionName,
                  Alias: ALIAS,
                  CurrentVersion: servedBefore,
                  TargetVersion: functionVersion,
                },
              },
            },
          ],
        },
      });
      await note({ deploymentId });
    },
    followShift: async ({ state }) =>
      // Without a deployment there was nothing to shift.
      state.deploymentId === undefined ? "shifted" : deployments.outcome(state.deploymentId),
    interrupt: async ({ state }) => {
      await deployments.stop(state);
    },
    giveBack: async ({ state, recorded }) => {
      if (await deployments.stop(state)) throw new NotYet("CodeDeploy gives the traffic back");
      const before = recorded?.made.functionVersion ?? state.servedBefore;
      if (before !== undefined) await pointAlias(before);
    },
    endTrials: async () => undefined,
    found: ({ state }) => ({
      made: { ...(state.functionVersion !== undefined && { functionVersion: state.functionVersion }) },
    }),
    goTo: async ({ release }) => {
      const { functionVersion } = release.made;
      if (functionVersion === undefined || (await describe(functionVersion)) === undefined) {
        throw new ReleaseFailed(
          "NoWayBack",
          `${release.modelPackageArn} is no version of ${FunctionName}: release it anew`,
        );
      }
      await pointAlias(functionVersion);
      return { made: { functionVersion } };
    },
    // Versions of a function cost nothing, and any of them can serve again.
    discard: async () => undefined,
  };
}

/** The body that an image answers, or the one within API Gateway's form of an answer, where its program has one for HTTP. */
function answered(payload: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(payload);
  } catch {
    return payload;
  }
  const { statusCode, body } = (parsed ?? {}) as { readonly statusCode?: unknown; readonly body?: unknown };
  if (typeof statusCode !== "number" || typeof body !== "string") return payload;
  if (statusCode !== 200) {
    throw new ReleaseFailed("TestsFailed", `The model's program answers with status ${statusCode}`);
  }
  return body;
}
