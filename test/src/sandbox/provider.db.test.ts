import * as grpc from "@grpc/grpc-js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import structPb from "google-protobuf/google/protobuf/struct_pb.js";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type ServedProvider, serveProvider } from "../../../src/sandbox/serve.ts";
import { signatureKey, signatures } from "../../../src/sandbox/values.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
let provider: ServedProvider;
const engines: Engine[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  provider = await serveProvider(database.url);
});
afterEach(() => {
  for (const engine of engines.splice(0)) engine.close();
});
afterAll(async () => {
  await provider.close();
  await database.drop();
});

type Inputs = Record<string, structPb.JavaScriptValue>;

/** An engine's connection for one provider resource. */
class Engine {
  readonly #client = new providerGrpc.ResourceProviderClient(
    `127.0.0.1:${provider.port}`,
    grpc.credentials.createInsecure(),
    // Clients of one process share a connection otherwise; engines are processes of their own.
    { "grpc.use_local_subchannel_pool": 1 },
  );

  constructor() {
    engines.push(this);
  }

  close(): void {
    this.#client.close();
  }

  async configure(account: string, region: string): Promise<this> {
    const args = structPb.Struct.fromJavaScript({ region, allowedAccountIds: JSON.stringify([account]) });
    await this.#call("configure", new providerPb.ConfigureRequest().setArgs(args));
    return this;
  }

  async create(type: string, inputs: Inputs): Promise<{ id: string; outputs: Inputs }> {
    const request = this.#named(new providerPb.CreateRequest(), type);
    request.setProperties(structPb.Struct.fromJavaScript(inputs));
    const response = await this.#call<providerPb.CreateResponse>("create", request);
    return { id: response.getId(), outputs: response.getProperties()?.toJavaScript() ?? {} };
  }

  async check(type: string, inputs: Inputs): Promise<string[]> {
    const request = this.#named(new providerPb.CheckRequest(), type);
    request.setNews(structPb.Struct.fromJavaScript(inputs));
    const response = await this.#call<providerPb.CheckResponse>("check", request);
    return response.getFailuresList().map((failure) => failure.getReason());
  }

  async invoke(token: string): Promise<Inputs> {
    const request = new providerPb.InvokeRequest().setTok(token).setArgs(new structPb.Struct());
    return (await this.#call<providerPb.InvokeResponse>("invoke", request)).getReturn()?.toJavaScript() ?? {};
  }

  async cancel(): Promise<void> {
    await this.#call("cancel", new emptyPb.Empty());
  }

  #named<
    Request extends { setUrn(v: string): Request; setType(v: string): Request; setName(v: string): Request },
  >(request: Request, type: string): Request {
    return request.setUrn(`urn:pulumi:s::p::${type}::thing`).setType(type).setName("thing");
  }

  #call<Response>(method: string, request: unknown): Promise<Response> {
    const client = this.#client as unknown as Record<
      string,
      (request: unknown, done: grpc.requestCallback<Response>) => void
    >;
    return new Promise((resolve, reject) => {
      client[method]!.call(client, request, (error, response) =>
        error ? reject(error) : resolve(response as Response),
      );
    });
  }
}

const bucket = "aws:s3/bucket:Bucket";

describe("one provider process with many engines", () => {
  test("every connection acts in its own account and region", async () => {
    const [one, two] = [new Engine(), new Engine()];
    await Promise.all([
      one.configure("111122223333", "eu-central-1"),
      two.configure("444455556666", "us-east-1"),
    ]);
    const keys = await Promise.all(
      [one, two, one, two].map((engine) => engine.create("aws:kms/key:Key", {})),
    );
    expect(keys.map(({ outputs }) => String(outputs.arn).split(":").slice(3, 5).join())).toEqual([
      "eu-central-1,111122223333",
      "us-east-1,444455556666",
      "eu-central-1,111122223333",
      "us-east-1,444455556666",
    ]);
    const identity = await two.invoke("aws:index/getCallerIdentity:getCallerIdentity");
    expect(identity.accountId).toBe("444455556666");
  });

  test("one engine's cancel leaves the others at work", async () => {
    const [one, two] = [await new Engine().configure("111122223333", "eu-central-1"), new Engine()];
    await two.configure("444455556666", "us-east-1");
    await one.cancel();
    await two.create(bucket, { bucket: "after-a-cancel" });
    await one.create(bucket, { bucket: "after-my-own-cancel" });
  });

  test("a connection that was never configured is told so", async () => {
    await expect(new Engine().create(bucket, { bucket: "b" })).rejects.toMatchObject({
      details: expect.stringContaining("was never configured"),
    });
  });
});

describe("what the engine is told", () => {
  test("a type that the sandbox doesn't know is named", async () => {
    await expect(new Engine().check("aws:chime/voiceConnector:VoiceConnector", {})).rejects.toMatchObject({
      details: expect.stringContaining("aws:chime/voiceConnector:VoiceConnector"),
    });
  });

  test("a failure never shows a secret value", async () => {
    const failures = await new Engine().check(bucket, {
      bucket: { [signatureKey]: signatures.secret, value: "Not_A_Name" },
    });
    expect(failures).toContain("bucket is not allowed; its value is secret and not shown");
    expect(failures.join()).not.toContain("Not_A_Name");
  });

  test("secret outputs come wrapped", async () => {
    const engine = await new Engine().configure("111122223333", "eu-central-1");
    const { outputs } = await engine.create("aws:ssm/parameter:Parameter", {
      name: "p",
      type: "String",
      value: "v",
    });
    expect(outputs.value).toEqual({ [signatureKey]: signatures.secret, value: "v" });
  });

  test("errors are AWS's, without a stack trace", async () => {
    const engine = await new Engine().configure("111122223333", "eu-central-1");
    await engine.create(bucket, { bucket: "taken" });
    await expect(engine.create(bucket, { bucket: "taken" })).rejects.toMatchObject({
      code: grpc.status.UNKNOWN,
      details: expect.stringMatching(/^creating S3 Bucket \(taken\): BucketAlreadyOwnedByYou: [^\n]*$/),
    });
  });
});
