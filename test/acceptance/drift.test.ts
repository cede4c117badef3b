import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Document, validSpec } from "../support/builders.ts";
import { ended, requester, startTestService, type TestService } from "../support/service.ts";

const team = "/v1/teams/research";
const pipeline = `${team}/pipelines/drifting`;
const key = "aws:kms/key:Key";
const versioning = "aws:s3/bucketVersioning:BucketVersioning";
const publicAccess = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock";
const predictor = "aws:lambda/function:Function";
const alias = "aws:lambda/alias:Alias";
const repository = "aws:ecr/repository:Repository";

let service: TestService;
const send = (method: string, path: string, body?: unknown) => service.request(method, path, body);

/** The sandbox's resource of a type whose AWS id has this in it. */
async function find(type: string, part: string): Promise<Document> {
  const { body } = await send("GET", `/sandbox/v1/resources?limit=200&type=${type}`);
  return body.items.find(({ awsId }: Document) => awsId.includes(part));
}
/** The pipeline's key that AWS rotates: the key that signs models stands beside it and can't be rotated. */
async function findRotatedKey(): Promise<Document> {
  const { body } = await send("GET", `/sandbox/v1/resources?limit=200&type=${key}&pipeline=drifting`);
  return body.items.find(({ inputs }: Document) => inputs.enableKeyRotation);
}
const change = async ({ id }: Document, patch: Document) =>
  expect((await send("PATCH", `/sandbox/v1/resources/${id}`, patch)).status).toBe(200);
const inputsOf = async ({ id }: Document): Promise<Document> =>
  (await send("GET", `/sandbox/v1/resources/${id}`)).body.inputs;
const drifts = async (query = ""): Promise<Document[]> =>
  (await send("GET", `${pipeline}/drift${query}`)).body.drifts;
const inADay = () => new Date(Date.now() + 86_400_000).toISOString();
const tomorrow = { expiresAt: inADay(), owner: "ada@example.com", reason: "It is being moved" };

beforeAll(async () => {
  service = await startTestService();
  await send("POST", "/v1/teams", { name: "research" });
  const account = { accountId: "123456789012", region: "eu-central-1" };
  await ended(service, await send("PUT", `${team}/accounts/main`, account));
  const spec = validSpec((given) => {
    given.serving = { mode: "lambda" };
  });
  await ended(service, await send("PUT", pipeline, spec));
  const group = await find("aws:sagemaker/modelPackageGroup:ModelPackageGroup", "drifting");
  const released = await ended(
    service,
    await send("POST", `${pipeline}/releases`, {
      modelPackageArn: `arn:aws:sagemaker:eu-central-1:123456789012:model-package/${group.awsId}/1`,
      imageDigest: `sha256:${"a".repeat(64)}`,
    }),
  );
  expect(released).toMatchObject({ state: "succeeded" });
});
afterAll(() => service?.remove());

describe("drift on the real engine", () => {
  let held: Record<"versioning" | "publicAccess" | "key" | "predictor" | "alias", Document>;
  let promotedImage: string;

  it("is found property by property, each with its class", async () => {
    held = {
      versioning: await find(versioning, "raw"),
      publicAccess: await find(publicAccess, "raw"),
      key: await findRotatedKey(),
      predictor: await find(predictor, "predict"),
      alias: await find(alias, "predict"),
    };
    await change(held.versioning, { versioningConfiguration: { status: "Suspended" } });
    await change(held.publicAccess, { blockPublicAcls: false });
    await change(held.key, { enableKeyRotation: false, tags: { "cost-center": "42" } });
    promotedImage = (await inputsOf(held.predictor)).imageUri.replace(/a{64}$/, "b".repeat(64));
    await change(held.predictor, { imageUri: promotedImage });
    await change(held.alias, { functionVersion: "2" });
    expect(await ended(service, await send("POST", `${pipeline}/drift-checks`))).toMatchObject({
      state: "succeeded",
    });

    const classes = Object.fromEntries((await drifts()).map((drift) => [drift.path, drift.class]));
    expect(classes).toMatchObject({
      "versioningConfiguration.status": "data",
      blockPublicAcls: "security",
      enableKeyRotation: "security",
      "tags.cost-center": "benign",
      imageUri: "ml_promotion",
    });
  });

  it("is brought back, but for what is ignored, accepted or promoted", async () => {
    await send("PUT", `${pipeline}/drift-rules/moving`, { ...tomorrow, resource: "*versioning", path: "*" });
    const [tag] = (await drifts()).filter(({ path }) => path === "tags.cost-center");
    await send("POST", `${pipeline}/drift/${tag?.id}/decisions`, {
      decision: "accept",
      until: inADay(),
      reason: "Finance wants it",
    });
    expect(await ended(service, await send("POST", `${pipeline}/reconciliations`))).toMatchObject({
      state: "succeeded",
    });

    expect(await inputsOf(held.publicAccess)).toMatchObject({ blockPublicAcls: true });
    expect(await inputsOf(held.versioning)).toMatchObject({
      versioningConfiguration: { status: "Suspended" },
    });
    expect(await inputsOf(held.key)).toMatchObject({
      enableKeyRotation: true,
      tags: { "cost-center": "42" },
    });
    expect(await inputsOf(held.predictor)).toMatchObject({ imageUri: promotedImage });
    expect(await inputsOf(held.alias)).toMatchObject({ functionVersion: "2" });

    await ended(service, await send("POST", `${pipeline}/drift-checks`));
    const states = Object.fromEntries((await drifts()).map(({ path, state }) => [path, state]));
    expect(states).toMatchObject({
      "versioningConfiguration.status": "ignored",
      "tags.cost-center": "accepted",
      imageUri: "open",
    });
    expect((await drifts("?state=reverted")).map(({ path }) => path)).toEqual(
      expect.arrayContaining(["blockPublicAcls", "enableKeyRotation"]),
    );
  });

  it("that lost data waits for somebody's approval, and is made anew after it", async () => {
    const images = await find(repository, "drifting/training");
    expect((await send("DELETE", `/sandbox/v1/resources/${images.id}`)).status).toBe(204);
    const accepted = await send("POST", `${pipeline}/reconciliations`);
    const waiting = async () => (await send("GET", `/v1/operations/${accepted.body.id}`)).body;
    let operation = await waiting();
    while (operation.state === "queued" || operation.state === "running") operation = await waiting();
    expect(operation).toMatchObject({
      state: "awaiting_approval",
      approval: { reasons: [expect.objectContaining({ code: "data_loss" })] },
    });
    expect(await find(repository, "drifting/training")).toBeUndefined();
    expect(await drifts("?class=data&state=open")).toContainEqual(
      expect.objectContaining({ kind: "gone", type: repository, dataLoss: true }),
    );

    const approver = await send("POST", `${team}/keys`, { name: "approver", roles: ["approver"] });
    const other = requester(service.url, approver.body.key);
    await other.request("POST", `/v1/operations/${accepted.body.id}/approve`, {
      digest: operation.approval.digest,
    });
    expect(await ended(service, accepted)).toMatchObject({ state: "succeeded" });
    expect(await find(repository, "drifting/training")).toBeDefined();
  });
});
