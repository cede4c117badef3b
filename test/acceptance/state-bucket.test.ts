import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type Moto, startMoto } from "../../scripts/moto/moto.ts";
import { type AwsRecorder, type AwsRequest, recordAws } from "../support/aws-recorder.ts";
import { allows } from "../support/iam.ts";
import { ended, startTestService, type TestService } from "../support/service.ts";

const own = { id: "AKIAIOSFODNN7EXAMPLE", secret: "the-service's-own-secret-key" };
const account = "/v1/teams/research/accounts/main";

let moto: Moto;
let recorder: AwsRecorder;
let service: TestService;

beforeAll(async () => {
  moto = await startMoto(process.env);
  recorder = await recordAws(moto.url);
  vi.stubEnv("AWS_ENDPOINT_URL", recorder.url);
  vi.stubEnv("AWS_ACCESS_KEY_ID", own.id);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", own.secret);
  await fetch(`${moto.url}/aidlc-states`, { method: "PUT" });
  service = await startTestService({
    AWS_ENDPOINT_URL: recorder.url,
    AWS_ACCESS_KEY_ID: own.id,
    AWS_SECRET_ACCESS_KEY: own.secret,
    PULUMI_BACKEND_URL: "s3://aidlc-states/production?region=us-east-1",
    AIDLC_STATE_ROLE_ARN: "arn:aws:iam::999988887777:role/aidlc-states",
  });
});
afterAll(async () => {
  await service?.remove();
  vi.unstubAllEnvs();
  await recorder?.close();
  await moto?.close();
});

it("a foundation lives and goes with its state in a bucket, reached by sessions for that stack alone", async () => {
  await service.request("POST", "/v1/teams", { name: "research" });
  const body = { accountId: "123456789012", region: "eu-central-1" };
  for (const change of [
    () => ["PUT", account, body],
    () => ["PUT", account, body],
    () => ["DELETE", account],
  ] as const) {
    const [method = "", path = "", content] = change() as [string, string, unknown];
    const operation = await ended(service, await service.request(method, path, content));
    expect(operation.error).toBeUndefined();
    expect(operation).toMatchObject({ state: "succeeded" });
  }

  const used = recorder.requests.filter(({ service: name }) => name === "s3");
  expect(used.length).toBeGreaterThan(20);
  // Not one by the service itself, which may open every state.
  expect(used.filter(({ accessKeyId }) => accessKeyId === own.id)).toEqual([]);
  const refused = used.filter(
    (request) =>
      !judged(request).every((each) => allows(recorder.policies.get(request.accessKeyId ?? "") ?? "", each)),
  );
  expect(refused.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  const written = used.filter(({ method }) => method === "PUT").map(({ path }) => path);
  expect(written.some((path) => path.includes("/production/.pulumi/stacks/aidlc-foundation/"))).toBe(true);

  const [assumed] = recorder.requests.filter(({ form }) => form.Action === "AssumeRole");
  expect(assumed?.form).toMatchObject({
    RoleArn: "arn:aws:iam::999988887777:role/aidlc-states",
    RoleSessionName: expect.stringMatching(/^aidlc-[0-9a-f-]{36}$/),
  });
});

/** What S3 asks IAM for a request. */
function judged({ method, path, copySource }: AwsRequest) {
  const { pathname, searchParams } = new URL(path, "http://s3");
  const key = decodeURIComponent(pathname.slice(1));
  const resource = `arn:aws:s3:::${key}`;
  if (!key.includes("/") || key.endsWith("aidlc-states/")) {
    const prefix = searchParams.get("prefix");
    const bucket = resource.replace(/\/$/, "");
    return [
      {
        action: "s3:ListBucket",
        resource: bucket,
        ...(prefix !== null && { context: { "s3:prefix": prefix } }),
      },
    ];
  }
  const actions: Readonly<Record<string, string>> = {
    GET: "GetObject",
    HEAD: "GetObject",
    PUT: "PutObject",
    DELETE: "DeleteObject",
  };
  const action = `s3:${actions[method] ?? method}`;
  if (copySource === undefined) return [{ action, resource }];
  const source = `arn:aws:s3:::${decodeURIComponent(copySource).replace(/^\//, "")}`;
  return [
    { action, resource },
    { action: "s3:GetObject", resource: source },
  ];
}
