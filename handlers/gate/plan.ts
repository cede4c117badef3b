import type { Logger } from "@aws-lambda-powertools/logger";
import { S3Client } from "@aws-sdk/client-s3";
import Type, { type Static } from "typebox";
import { Dataset } from "../../programs/spec/dataset.ts";
import { awsClient } from "../runtime/aws.ts";
import { ConfigurationError, type Environment, variables } from "../runtime/environment.ts";
import type { Settings } from "../runtime/settings.ts";
import { targetColumn } from "../runtime/target-column.ts";
import { containerModel } from "./container-model.ts";
import { endpointModel, type Target } from "./endpoint-model.ts";
import { featureSource } from "./feature-source.ts";
import { functionModel } from "./function-model.ts";
import { inputSchema } from "./input-schema.ts";
import type { Model } from "./model.ts";
import { rowVectors } from "./row-vectors.ts";
import { trafficSource } from "./traffic.ts";
import { Watch } from "./watch.ts";

const Columns = Type.Object({ columns: Dataset.properties.schema });

/** The parameter `serving/backend` (programs/serving/mode-serving.ts). */
const Backend = Type.Union([
  Type.Object({
    mode: Type.Enum(["serverless", "realtime"]),
    endpoints: Type.Array(Type.String(), { minItems: 1 }),
    variant: Type.String(),
  }),
  Type.Object({ mode: Type.Literal("lambda"), function: Type.String() }),
  Type.Object({ mode: Type.Literal("ecs"), address: Type.String(), host: Type.String() }),
]);

type Backend = Static<typeof Backend>;

const Monitors = Type.Object({ capture: Type.Object({ samplePercent: Type.Number() }) });

/** All that a request needs and that the pipeline's settings decide. */
export interface Plan {
  readonly check: ReturnType<typeof inputSchema>;
  readonly vectorOf: ReturnType<typeof rowVectors>["of"];
  readonly watch: Watch;
  readonly model: Model;
  /** Percent of the requests that the gate captures: none where the endpoint does it. */
  readonly capturePercent: number;
}

/** Compiling a plan takes milliseconds, and updates of a pipeline are rare. */
const MAX_AGE_MS = 60_000;

/** Makes the plan at the first request and anew a minute later, when settings may have changed. */
export function planner(
  env: Environment,
  settings: Settings,
  logger: Logger,
  now: () => number,
): () => Promise<Plan> {
  let held: { readonly plan: Plan; readonly made: string; readonly untilMs: number } | undefined;
  return async () => {
    if (held !== undefined && now() < held.untilMs) return held.plan;
    const untilMs = now() + MAX_AGE_MS;
    try {
      const parts = await read(settings);
      const made = JSON.stringify(parts);
      // What the watch has seen, and connections, outlive a minute in which nothing changed.
      held = { plan: held?.made === made ? held.plan : compile(env, parts, logger, now), made, untilMs };
    } catch (error) {
      if (held === undefined || error instanceof ConfigurationError) throw error;
      // While settings can't be read, those that are known hold.
      held = { ...held, untilMs };
    }
    return held.plan;
  };
}

async function read(settings: Settings) {
  const [{ columns }, backend, { capture }] = await Promise.all([
    settings.document("dataset/schema", Columns),
    settings.document("serving/backend", Backend),
    settings.document("monitoring/monitors", Monitors),
  ]);
  return { columns, backend, capture, target: await targetColumn(settings, columns) };
}

function compile(
  env: Environment,
  parts: Awaited<ReturnType<typeof read>>,
  logger: Logger,
  now: () => number,
): Plan {
  const { columns, backend, capture, target } = parts;
  const { AIDLC_RATE_PER_SECOND: rate } = variables(env, ["AIDLC_RATE_PER_SECOND"]);
  const vectors = rowVectors(columns.filter(({ name }) => name !== target));
  return {
    check: inputSchema(columns, target),
    vectorOf: vectors.of,
    watch: new Watch(vectors, Number(rate)),
    model: modelBehind(env, backend, logger, now),
    capturePercent: backend.mode === "realtime" ? 0 : capture.samplePercent,
  };
}

function modelBehind(env: Environment, backend: Backend, logger: Logger, now: () => number): Model {
  if (backend.mode === "lambda") return functionModel(env, backend.function);
  if (backend.mode === "ecs") return containerModel(backend);
  const { endpoints, variant } = backend;
  if (backend.mode === "realtime") {
    const [endpoint = ""] = endpoints;
    return endpointModel(env, { choose: async () => ({ endpoint }), variant });
  }
  const { AIDLC_TRAFFIC_URI: uri } = variables(env, ["AIDLC_TRAFFIC_URI"]);
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
  if (bucket === undefined || key === undefined) {
    throw new ConfigurationError(`AIDLC_TRAFFIC_URI is no S3 address: ${uri}`);
  }
  const s3 = awsClient(S3Client, env);
  const traffic = trafficSource(s3, { bucket, key }, now);
  const features = featureSource(s3, bucket, logger);
  const choose = async (inferenceId: string): Promise<Target | undefined> => {
    const share = await traffic.shareFor(inferenceId);
    if (share?.transform === undefined) return share;
    const { endpoint, transform } = share;
    return { endpoint, features: (instances) => features(transform, instances) };
  };
  return endpointModel(env, { choose, variant });
}
