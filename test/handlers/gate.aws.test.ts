import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text as readText } from "node:stream/consumers";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { parseCapture } from "../../handlers/captures/capture-record.ts";
import { readPredictions } from "../../handlers/captures/predictions.ts";
import type { TransformParameters } from "../../handlers/features/parameters.ts";
import { transformKey } from "../../handlers/features/transform-store.ts";
import { createHandler } from "../../handlers/gate/handler.ts";
import { functionAlias } from "../../programs/serving/function-names.ts";
import { TRAFFIC } from "../../programs/storage-layout.ts";
import { aSpec } from "../programs/support/inputs.ts";
import { type AwsAnswer, type AwsRecorder, type AwsRequest, recordAws } from "../support/aws-recorder.ts";
import { selfSignedCertificate } from "../support/self-signed-certificate.ts";
import { builtInSpec, fittedFor, putTransform } from "./support/built-in-model.ts";
import { expectExactGrants } from "./support/granted-calls.ts";
import { emulatorClient, type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";
import { aContext, aProxyEvent } from "./support/proxy-event.ts";

const ROW = { Island: "Biscoe", "Body Mass (g)": 3750 };
const BODY = JSON.stringify({ instances: [ROW] });
const NOW = Date.UTC(2026, 2, 1, 5, 2, 29);
const ANSWER = '{"predictions":[{"prediction":"Adelie","probability":0.97}]}';

type Mode = "serverless" | "realtime" | "lambda" | "ecs";

const specOf = (mode: Mode, samplePercent = 100) =>
  aSpec({
    dataset: {
      schema: [
        { name: "Species", type: "string", nullable: false, enum: ["Adelie", "Gentoo"] },
        { name: "Island", type: "string", nullable: false, enum: ["Biscoe", "Dream"] },
        { name: "Body Mass (g)", type: "integer", nullable: false, min: 2700, max: 6300 },
      ],
      ...(mode === "ecs" && { replicaRegion: "eu-central-1" }),
    },
    training: { hyperparameters: { target: "Species" } },
    monitoring: { capture: { samplePercent } },
    serving: {
      mode,
      ...(mode === "ecs" && {
        internalDomain: {
          name: "predictions.example.com",
          certificateArn:
            "arn:aws:acm:eu-west-1:123456789012:certificate/0f0e0d0c-0b0a-4908-8706-050403020102",
        },
      }),
    },
    ...(mode === "ecs" && {
      profile: "production",
      alerts: { emails: ["ada@example.com"] },
    }),
  });

/** The emulator runs no models, so the recorder in front of it answers for them. */
async function aGate(
  pipeline: PipelineInAws,
  mode: Mode,
  backend: object,
  fail: (request: AwsRequest) => boolean = () => false,
) {
  let model: (request: AwsRequest) => AwsAnswer = () => ({
    status: 200,
    type: "application/json",
    headers: { "x-amzn-invoked-production-variant": "primary" },
    body: ANSWER,
  });
  let settingsFail = false;
  const refusal = {
    status: 400,
    type: "application/x-amz-json-1.1",
    body: '{"__type":"AccessDeniedException"}',
  };
  const recorder = await recordAws(pipeline.environmentOf("gate").AWS_ENDPOINT_URL ?? "", (request) => {
    if (settingsFail && request.target === "AmazonSSM.GetParametersByPath") return refusal;
    if (fail(request)) return refusal;
    return request.path.endsWith("/invocations") ? model(request) : undefined;
  });
  await pipeline.putParameter("serving/backend", JSON.stringify({ mode, ...backend }));
  const env = { ...pipeline.environmentOf("gate"), AWS_ENDPOINT_URL: recorder.url };
  let nowMs = NOW;
  const handler = createHandler(env, () => nowMs);
  return {
    recorder,
    answerWith: (answer: Partial<AwsAnswer>) => {
      model = () => ({ status: 200, type: "application/json", body: ANSWER, ...answer });
    },
    loseSettings: () => {
      settingsFail = true;
    },
    wait: (ms: number) => {
      nowMs += ms;
    },
    ask: async (asked: Parameters<typeof aProxyEvent>[0] = {}, remainingMs?: number) => {
      const result = await handler(aProxyEvent({ body: BODY, ...asked }), aContext(remainingMs));
      return { ...result, json: JSON.parse(result.body) as Record<string, unknown> };
    },
    health: () => handler(aProxyEvent({ httpMethod: "GET", resource: "/health", body: null }), aContext()),
    asked: () => recorder.requests.filter(({ path }) => path.endsWith("/invocations")),
  };
}

let written: string[] = [];

beforeEach(() => {
  written = [];
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((line) => written.push(String(line)) > 0);
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** What was logged and counted, from what Lambda would have taken to CloudWatch. */
const logged = () =>
  written.flatMap((text) =>
    text
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  );
const metric = (name: string) => logged().flatMap((line) => ("_aws" in line ? (line[name] ?? []) : []));

const recorders: AwsRecorder[] = [];
const kept = <T extends { readonly recorder: AwsRecorder }>(gate: T): T => {
  recorders.push(gate.recorder);
  return gate;
};

afterAll(async () => {
  for (const recorder of recorders) await recorder.close();
});

describe("with serverless endpoints", () => {
  let pipeline: PipelineInAws;
  let blue: string;
  let green: string;

  beforeAll(async () => {
    pipeline = await pipelineInAws(specOf("serverless"));
    blue = pipeline.setting.names.named("blue");
    green = pipeline.setting.names.named("green");
  });

  const aServerlessGate = async () =>
    kept(await aGate(pipeline, "serverless", { endpoints: [blue, green], variant: "primary" }));

  it("there is no prediction before the first release, and health says so", async () => {
    const gate = await aServerlessGate();
    const answer = await gate.ask();
    expect(answer).toMatchObject({ statusCode: 503, headers: { "Retry-After": "60" } });
    expect(answer.json).toMatchObject({ code: "no_model" });
    expect((await gate.health()).statusCode).toBe(503);
  });

  describe("once one has traffic", () => {
    beforeAll(async () => {
      await pipeline.put("models", TRAFFIC, JSON.stringify({ [blue]: 100 }));
      const sagemaker = emulatorClient(SageMakerClient, pipeline.environmentOf("gate"));
      const role = "arn:aws:iam::123456789012:role/inference";
      await sagemaker.send(
        new CreateModelCommand({
          ModelName: blue,
          ExecutionRoleArn: role,
          PrimaryContainer: { Image: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/inference:1" },
        }),
      );
      await sagemaker.send(
        new CreateEndpointConfigCommand({
          EndpointConfigName: blue,
          ProductionVariants: [
            {
              VariantName: "primary",
              ModelName: blue,
              InitialInstanceCount: 1,
              InstanceType: "ml.m5.large",
              InitialVariantWeight: 1,
            },
          ],
        }),
      );
      await sagemaker.send(new CreateEndpointCommand({ EndpointName: blue, EndpointConfigName: blue }));
    });

    it("answers with what the model says and the id by which labels are joined", async () => {
      const gate = await aServerlessGate();
      const answer = await gate.ask();
      expect(answer).toMatchObject({
        statusCode: 200,
        body: ANSWER,
        headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
      });
      expect(answer.headers?.["X-Inference-Id"]).toMatch(/^[0-9a-f-]{36}$/);
      const json = "application/json";
      expect(gate.asked()).toMatchObject([
        { path: `/endpoints/${blue}/invocations`, body: BODY, contentType: json, accept: json },
      ]);
    });

    it("captures request and answer, in the form of data capture, once for an id", async () => {
      const gate = await aServerlessGate();
      gate.answerWith({ headers: { "x-amzn-sagemaker-custom-attributes": "model-version=7" } });
      for (let time = 0; time < 2; time++) await gate.ask({ headers: { "X-Inference-Id": "order-4711" } });

      const folder = `captures/${blue}/primary/2026/03/01/05/`;
      const keys = (await pipeline.keysIn("predictions", folder)).filter((key) => key.includes("order-4711"));
      expect(keys).toEqual([`${folder}order-4711.jsonl`]);
      const line = (await pipeline.read("predictions", keys[0]!)).toString();
      expect(line.endsWith("\n")).toBe(true);
      expect(parseCapture(line.trimEnd())).toEqual({
        eventId: expect.any(String),
        inferenceId: "order-4711",
        at: new Date(NOW),
        input: { contentType: "application/json", text: BODY },
        output: { contentType: "application/json", text: ANSWER },
        modelVersion: 7,
      });
    });

    it("logs confidence, latency and version of a prediction, and nothing of its content", async () => {
      const gate = await aServerlessGate();
      gate.answerWith({ headers: { "x-amzn-sagemaker-custom-attributes": "model-version=7" } });
      await gate.ask({ headers: { "x-inference-id": "order-1" } });
      expect(logged()).toContainEqual(
        expect.objectContaining({
          message: "Predicted",
          inferenceId: "order-1",
          rows: 1,
          latencyMs: 0,
          confidence: 0.97,
          modelVersion: 7,
          endpoint: blue,
          variant: "primary",
        }),
      );
      expect(written.join("")).not.toMatch(/Biscoe|3750|Adelie|research-app|198\.51\.100/);
      expect(metric("Predictions")).toEqual([1]);
      expect(metric("PredictionConfidence")).toEqual([0.97]);
      expect(metric("PredictionLatency")).toEqual([0]);
      expect(metric("SuspiciousRequests")).toEqual([]);
    });

    it("refuses a request that breaks the schema with every place that does, and asks no model", async () => {
      const gate = await aServerlessGate();
      const rows = [ROW, { ...ROW, "Body Mass (g)": "heavy", Species: "Adelie" }, { Island: "Biscoe" }];
      const answer = await gate.ask({ body: JSON.stringify({ instances: rows }) });
      expect(answer).toMatchObject({
        statusCode: 400,
        headers: { "Content-Type": "application/problem+json" },
      });
      expect(answer.json).toEqual({
        type: "about:blank",
        title: "The request breaks the schema of the data set",
        status: 400,
        code: "invalid_request",
        detail: "3 places break the schema",
        requestId: expect.any(String),
        errors: [
          { path: "/instances/1/Species", message: "is what the model predicts and no input" },
          { path: "/instances/1/Body Mass (g)", message: "must be an integer within 53 bits" },
          { path: "/instances/2/Body Mass (g)", message: "is missing" },
        ],
      });
      expect(gate.asked()).toEqual([]);
    });

    it("asks the model what was checked, not a second value of the same name", async () => {
      const gate = await aServerlessGate();
      await gate.ask({ body: '{"instances":[{"Island":"Atlantis","Body Mass (g)":3750,"Island":"Dream"}]}' });
      expect(gate.asked().map(({ body }) => JSON.parse(body))).toEqual([
        { instances: [{ Island: "Dream", "Body Mass (g)": 3750 }] },
      ]);
    });

    it("reads a body that API Gateway encoded", async () => {
      const gate = await aServerlessGate();
      const answer = await gate.ask({ body: Buffer.from(BODY).toString("base64"), isBase64Encoded: true });
      expect(answer.statusCode).toBe(200);
    });

    it("refuses an inference id that could be no name of an object", async () => {
      const gate = await aServerlessGate();
      const answer = await gate.ask({ headers: { "X-Inference-Id": "../../labels/x" } });
      expect(answer.statusCode).toBe(400);
      expect(answer.json.errors).toMatchObject([{ path: "headers:/x-inference-id" }]);
    });

    it("counts whoever probes as suspicious and refuses the abuse, also from another session of a role", async () => {
      const gate = await aServerlessGate();
      const probe = JSON.stringify({ instances: [{ ...ROW, "Body Mass (g)": 9000 }] });
      const statuses: number[] = [];
      for (let index = 0; index < 60; index++) {
        gate.wait(1000);
        const userArn = `arn:aws:sts::123456789012:assumed-role/prober/session-${index}`;
        statuses.push((await gate.ask({ body: probe, userArn })).statusCode);
      }
      expect(statuses).toEqual([...Array(49).fill(400), ...Array(11).fill(429)]);
      expect(metric("SuspiciousRequests")).toHaveLength(56);
      expect((await gate.ask()).statusCode).toBe(200);
      const userArn = "arn:aws:sts::123456789012:assumed-role/prober/another";
      expect(await gate.ask({ userArn })).toMatchObject({
        statusCode: 429,
        headers: { "Retry-After": "60" },
      });
    });

    it.each([
      [
        {
          status: 424,
          headers: { "x-amzn-errortype": "ModelError" },
          body: '{"Message":"no","OriginalStatusCode":400}',
        },
        { statusCode: 424, code: "model_refused" },
      ],
      [
        {
          status: 424,
          headers: { "x-amzn-errortype": "ModelError" },
          body: '{"Message":"no","OriginalStatusCode":500}',
        },
        { statusCode: 502, code: "model_failed" },
      ],
      [
        {
          status: 400,
          headers: { "x-amzn-errortype": "ValidationError" },
          body: '{"Message":"Endpoint not found"}',
        },
        { statusCode: 503, code: "no_model" },
      ],
    ])("tells a failure of the model apart: %j", async (answer, { statusCode, code }) => {
      const gate = await aServerlessGate();
      gate.answerWith(answer);
      const result = await gate.ask();
      expect(result.statusCode).toBe(statusCode);
      expect(result.json.code).toBe(code);
      expect(metric("PredictionErrors")).toEqual([1]);
      expect(metric("Predictions")).toEqual([]);
    });

    it("does not hide a missing permission behind an answer", async () => {
      const gate = await aServerlessGate();
      gate.answerWith({ status: 403, headers: { "x-amzn-errortype": "AccessDeniedException" }, body: "{}" });
      await expect(gate.ask()).rejects.toThrow();
      expect(metric("PredictionErrors")).toEqual([1]);
    });

    it("is healthy while the endpoint is in service, without asking the model anything", async () => {
      const gate = await aServerlessGate();
      expect(await gate.health()).toMatchObject({ statusCode: 200, body: '{"status":"ok"}' });
      expect(gate.asked()).toEqual([]);
    });

    it("follows the shares of a release within seconds, and keeps a request's endpoint", async () => {
      const gate = await aServerlessGate();
      await gate.ask();
      await pipeline.put("models", TRAFFIC, JSON.stringify({ [blue]: 50, [green]: 50 }));
      gate.wait(6_000);
      for (let index = 0; index < 24; index++) {
        for (let time = 0; time < 2; time++) await gate.ask({ headers: { "X-Inference-Id": `id-${index}` } });
      }
      const endpoints = gate
        .asked()
        .slice(1)
        .map(({ path }) => path.split("/")[2]);
      expect(new Set(endpoints)).toEqual(new Set([blue, green]));
      for (let index = 0; index < 48; index += 2) expect(endpoints[index + 1]).toBe(endpoints[index]);
      await pipeline.put("models", TRAFFIC, JSON.stringify({ [blue]: 100 }));
    });

    it("goes on with the settings that it has while they can't be read, but doesn't begin without any", async () => {
      const gate = await aServerlessGate();
      await gate.ask();
      gate.loseSettings();
      gate.wait(10 * 60_000);
      expect((await gate.ask()).statusCode).toBe(200);

      const another = await aServerlessGate();
      another.loseSettings();
      await expect(another.ask()).rejects.toThrow();
    });

    it("answers nothing but predictions and health", async () => {
      const gate = await aServerlessGate();
      expect((await gate.ask({ resource: "/admin" })).statusCode).toBe(404);
      await expect(
        createHandler(pipeline.environmentOf("gate"))({ Records: [] }, aContext()),
      ).rejects.toThrow(/no proxy event/);
    });
  });

  expectExactGrants(() => pipeline.grantsOf("gate"));
});

describe("with a model of a built-in algorithm", () => {
  const row = { site: "Morris", rain: 2, irrigated: true };
  const answer = '{"predictions": [{"score": 41.5}]}';
  let pipeline: PipelineInAws;
  let blue: string;
  let green: string;
  let dry: TransformParameters;
  let wet: TransformParameters;
  let losesTraffic = false;

  beforeAll(async () => {
    pipeline = await pipelineInAws(builtInSpec());
    blue = pipeline.setting.names.named("blue");
    green = pipeline.setting.names.named("green");
    dry = await fittedFor(["Crookston", "Morris"], 4);
    wet = await fittedFor(["Duluth", "Crookston", "Morris"], 8);
    await putTransform(pipeline, dry);
    await putTransform(pipeline, wet);
  });
  beforeEach(() => {
    losesTraffic = false;
  });

  const divide = (shares: object) => pipeline.put("models", TRAFFIC, JSON.stringify(shares));
  const aBuiltInGate = async () => {
    const backend = { endpoints: [blue, green], variant: "primary" };
    const loses = ({ path }: AwsRequest) => losesTraffic && path.includes("traffic.json");
    const gate = kept(await aGate(pipeline, "serverless", backend, loses));
    gate.answerWith({ headers: { "x-amzn-invoked-production-variant": "primary" }, body: answer });
    const asks = (rows: readonly object[], id?: string) =>
      gate.ask({
        body: JSON.stringify({ instances: rows }),
        ...(id !== undefined && { headers: { "X-Inference-Id": id } }),
      });
    const transformsRead = () => gate.recorder.requests.filter(({ path }) => path.includes("/transforms/"));
    return { ...gate, asks, transformsRead };
  };

  it("asks for the version's features in CSV, for JSON, and hands the answer on", async () => {
    await divide({ [blue]: { percent: 100, transform: dry.digest } });
    const gate = await aBuiltInGate();
    const rows = [row, { site: "Crookston", irrigated: false }];
    gate.answerWith({ body: '{"predictions": [{"score": 41.5}, {"score": 30}]}' });
    expect(await gate.asks(rows, "field-1")).toMatchObject({
      statusCode: 200,
      json: { predictions: [{ score: 41.5 }, { score: 30 }] },
    });
    expect(gate.asked()).toMatchObject([
      {
        path: `/endpoints/${blue}/invocations`,
        contentType: "text/csv",
        accept: "application/json",
        body: "1,0.5,1\n0,,0",
      },
    ]);
  });

  it("captures the rows as they were checked, which monitors compare by column", async () => {
    await divide({ [blue]: { percent: 100, transform: dry.digest } });
    const gate = await aBuiltInGate();
    await gate.asks([row], "field-2");
    const line = await pipeline.read("predictions", `captures/${blue}/primary/2026/03/01/05/field-2.jsonl`);
    const capture = parseCapture(line.toString().trimEnd());
    expect(capture).toMatchObject({
      input: { contentType: "application/json", text: JSON.stringify({ instances: [row] }) },
      output: { contentType: "application/json", text: answer },
    });
    expect(readPredictions(capture!.output!, 1)).toEqual([{ value: 41.5, score: 41.5 }]);
  });

  it("gives each of two versions that share the traffic its own features, and an own image the rows", async () => {
    const sent = { [blue]: "1,0.5,1", [green]: "2,0.25,1" };
    const gate = await aBuiltInGate();
    const askAll = async () => {
      const before = gate.asked().length;
      for (let index = 0; index < 24; index++) await gate.asks([row], `shared-${index}`);
      return gate
        .asked()
        .slice(before)
        .map(({ path, body }) => [path.split("/")[2] ?? "", body] as const);
    };
    await divide({
      [blue]: { percent: 50, transform: dry.digest },
      [green]: { percent: 50, transform: wet.digest },
    });
    const both = await askAll();
    expect(new Set(both.map(([endpoint]) => endpoint))).toEqual(new Set([blue, green]));
    for (const [endpoint, body] of both) expect(body).toBe(sent[endpoint]);

    await divide({ [blue]: { percent: 50, transform: dry.digest }, [green]: 50 });
    gate.wait(6_000);
    const json = JSON.stringify({ instances: [row] });
    const mixed = await askAll();
    expect(mixed.map(([endpoint]) => endpoint)).toEqual(both.map(([endpoint]) => endpoint));
    for (const [endpoint, body] of mixed) expect(body).toBe(endpoint === blue ? sent[blue] : json);
    expect(gate.transformsRead()).toHaveLength(2);
    expect((await gate.health()).statusCode).toBe(503);
  });

  it("refuses a category that the version does not know by its place, and asks no model", async () => {
    await divide({ [blue]: { percent: 100, transform: dry.digest } });
    const gate = await aBuiltInGate();
    const refused = await gate.asks([row, { ...row, site: "Atlantis" }]);
    expect(refused).toMatchObject({
      statusCode: 400,
      json: {
        code: "invalid_request",
        errors: [{ path: "/instances/1/site", message: "is no category that the model was trained with" }],
      },
    });
    expect(JSON.stringify(refused) + written.join("")).not.toContain("Atlantis");
    expect(gate.asked()).toEqual([]);
    expect(metric("PredictionErrors")).toEqual([]);
  });

  it.each<[string, (digest: string) => Promise<unknown>]>([
    ["is not there", async () => undefined],
    ["is another one's", (digest) => pipeline.put("models", transformKey(digest), JSON.stringify(dry))],
    [
      "was changed",
      (digest) => pipeline.put("models", transformKey(digest), JSON.stringify({ ...dry, digest })),
    ],
  ])(
    "answers 503 while the transform %s, tells it in the log, and goes on once it is right",
    async (_, spoil) => {
      const coming = await fittedFor(["Morris", "Waseca"], 16);
      await spoil(coming.digest);
      await divide({ [blue]: { percent: 100, transform: coming.digest } });
      const gate = await aBuiltInGate();
      expect(await gate.asks([row])).toMatchObject({
        statusCode: 503,
        headers: { "Retry-After": "5" },
        json: { code: "model_unavailable" },
      });
      expect(logged()).toContainEqual(
        expect.objectContaining({ level: "ERROR", transform: coming.digest, error: expect.anything() }),
      );
      expect(metric("PredictionErrors")).toEqual([1]);
      expect(gate.asked()).toEqual([]);
      await putTransform(pipeline, coming);
      expect((await gate.asks([row])).statusCode).toBe(200);
      expect(gate.asked()).toMatchObject([{ body: "0,0.125,1" }]);
      await pipeline.s3.send(
        new DeleteObjectCommand({ Bucket: pipeline.bucket("models"), Key: transformKey(coming.digest) }),
      );
    },
  );

  it("trusts shares for a minute that S3 no longer confirms: by then an endpoint may have another version", async () => {
    await divide({ [blue]: { percent: 100, transform: dry.digest } });
    const gate = await aBuiltInGate();
    expect((await gate.asks([row])).statusCode).toBe(200);
    losesTraffic = true;
    gate.wait(59_000);
    expect((await gate.asks([row])).statusCode).toBe(200);
    gate.wait(6_000);
    await expect(gate.asks([row])).rejects.toThrow();
    losesTraffic = false;
    expect((await gate.asks([row])).statusCode).toBe(200);
  });

  it("trusts shares for longer that name endpoints alone", async () => {
    await divide({ [blue]: 100 });
    const gate = await aBuiltInGate();
    await gate.asks([row]);
    losesTraffic = true;
    gate.wait(10 * 60_000);
    expect((await gate.asks([row])).statusCode).toBe(200);
  });

  expectExactGrants(() => pipeline.grantsOf("gate"));
});

describe("with a real-time endpoint", () => {
  let pipeline: PipelineInAws;
  beforeAll(async () => {
    pipeline = await pipelineInAws(specOf("realtime"));
  });

  it("leaves the capture to the endpoint", async () => {
    const live = pipeline.setting.names.named("live");
    const gate = kept(await aGate(pipeline, "realtime", { endpoints: [live], variant: "primary" }));
    expect((await gate.ask()).statusCode).toBe(200);
    expect(gate.asked()).toMatchObject([{ path: `/endpoints/${live}/invocations` }]);
    expect(await pipeline.keysIn("predictions")).toEqual([]);
    // The emulator has no such endpoint.
    expect((await gate.health()).statusCode).toBe(503);
  });

  expectExactGrants(() => pipeline.grantsOf("gate"));
});

describe("with a Lambda function", () => {
  let pipeline: PipelineInAws;
  beforeAll(async () => {
    pipeline = await pipelineInAws(specOf("lambda", 50));
  });

  const aLambdaGate = async () =>
    kept(await aGate(pipeline, "lambda", { function: functionAlias(pipeline.setting) }));

  it("asks the alias with the same body and captures its answer", async () => {
    const gate = await aLambdaGate();
    const answer = await gate.ask({ headers: { "X-Inference-Id": "sampled-1" } });
    expect(answer).toMatchObject({ statusCode: 200, body: ANSWER });
    const path = `/2015-03-31/functions/${encodeURIComponent(functionAlias(pipeline.setting))}/invocations`;
    expect(gate.asked()).toMatchObject([{ path, body: BODY }]);
  });

  it("captures the share of requests that the spec says, the same ones whenever they are repeated", async () => {
    const gate = await aLambdaGate();
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 40; index++) {
        gate.wait(1000);
        await gate.ask({ headers: { "X-Inference-Id": `half-${index}` } });
      }
    }
    const folder = `captures/${pipeline.setting.names.named("predict")}/live/`;
    const kept = (await pipeline.keysIn("predictions", folder)).filter((key) => key.includes("half-"));
    expect(kept.length).toBeGreaterThan(8);
    expect(kept.length).toBeLessThan(32);
  });

  it("unpacks what a program answers in API Gateway's form", async () => {
    const gate = await aLambdaGate();
    gate.answerWith({ body: JSON.stringify({ statusCode: 200, body: ANSWER }) });
    expect(await gate.ask()).toMatchObject({ statusCode: 200, body: ANSWER });
    gate.answerWith({ body: JSON.stringify({ statusCode: 400, body: "{}" }) });
    expect((await gate.ask()).json.code).toBe("model_refused");
  });

  it.each([
    [{ headers: { "x-amz-function-error": "Unhandled" } }, 502, "model_failed"],
    [
      { status: 404, headers: { "x-amzn-errortype": "ResourceNotFoundException" }, body: "{}" },
      503,
      "no_model",
    ],
  ])("tells a failure of the function apart: %j", async (answer, statusCode, code) => {
    const gate = await aLambdaGate();
    gate.answerWith(answer);
    const result = await gate.ask();
    expect(result.statusCode).toBe(statusCode);
    expect(result.json.code).toBe(code);
  });

  it("is healthy when the alias could be asked", async () => {
    const gate = await aLambdaGate();
    gate.answerWith({ status: 204, body: "" });
    expect((await gate.health()).statusCode).toBe(200);
    gate.answerWith({
      status: 404,
      headers: { "x-amzn-errortype": "ResourceNotFoundException" },
      body: "{}",
    });
    expect((await gate.health()).statusCode).toBe(503);
  });

  expectExactGrants(() => pipeline.grantsOf("gate"));
});

describe("with containers behind the load balancer", () => {
  const host = "predictions.example.com";
  const trusted = getCACertificates();
  let pipeline: PipelineInAws;
  let status = 200;
  let hang = false;
  const heard: { path: string; body: string; host: string }[] = [];
  const { cert, key } = selfSignedCertificate(host, new Date());
  const server = createServer({ cert, key }, async (request, response) => {
    heard.push({ path: request.url ?? "", body: await readText(request), host: request.headers.host ?? "" });
    if (hang) return;
    response
      .writeHead(status, {
        "content-type": "application/json",
        "x-amzn-sagemaker-custom-attributes": "model-version=12",
      })
      .end(ANSWER);
  });
  const address = () => `127.0.0.1:${(server.address() as AddressInfo).port}`;

  beforeAll(async () => {
    pipeline = await pipelineInAws(specOf("ecs"));
    setDefaultCACertificates([...trusted, cert]);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterAll(async () => {
    setDefaultCACertificates(trusted);
    server.closeAllConnections();
    server.close();
  });

  const aContainerGate = async (name = host) =>
    kept(await aGate(pipeline, "ecs", { address: address(), host: name }));

  it("speaks TLS to the balancer's address, which proves the internal name", async () => {
    const gate = await aContainerGate();
    expect(await gate.ask({ headers: { "X-Inference-Id": "task-1" } })).toMatchObject({
      statusCode: 200,
      body: ANSWER,
    });
    expect(heard.at(-1)).toEqual({ path: "/invocations", body: BODY, host });
    const line = await pipeline.read("predictions", "captures/predict/live/2026/03/01/05/task-1.jsonl");
    expect(parseCapture(line.toString().trimEnd())?.modelVersion).toBe(12);
    expect((await (await aContainerGate("somebody.example.com")).ask()).json.code).toBe("model_unavailable");
  });

  it("tells refusals, failures and silence apart", async () => {
    const gate = await aContainerGate();
    const codes: unknown[] = [];
    for (const each of [400, 500, 503]) {
      status = each;
      codes.push((await gate.ask()).json.code);
    }
    status = 200;
    hang = true;
    codes.push((await gate.ask({}, 2050)).json.code);
    hang = false;
    expect(codes).toEqual(["model_refused", "model_failed", "model_unavailable", "model_timeout"]);
  });

  it("is healthy while the tasks answer pings", async () => {
    const gate = await aContainerGate();
    expect((await gate.health()).statusCode).toBe(200);
    expect(heard.at(-1)?.path).toBe("/ping");
    status = 500;
    expect((await gate.health()).statusCode).toBe(503);
    status = 200;
  });

  expectExactGrants(() => pipeline.grantsOf("gate"));
});
