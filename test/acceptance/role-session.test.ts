import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Moto, startMoto } from "../../scripts/moto/moto.ts";
import { type RoleSessionRequest, roleSession, teamSession } from "../../src/aws/role-session.ts";
import { type AwsRecorder, type AwsRequest, recordAws, stsError } from "../support/aws-recorder.ts";

let moto: Moto;
let recorder: AwsRecorder;
let answer: (request: AwsRequest) => ReturnType<typeof stsError> | undefined;

beforeAll(async () => {
  moto = await startMoto(process.env);
  recorder = await recordAws(moto.url, (request) => answer(request));
});
afterAll(async () => {
  await recorder?.close();
  await moto?.close();
});

beforeEach(() => {
  answer = () => undefined;
  vi.stubEnv("AWS_ENDPOINT_URL", recorder.url);
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "the-service's-own-secret-key");
  (recorder.requests as AwsRequest[]).length = 0;
});
afterEach(() => vi.unstubAllEnvs());

const asked = (action: string) => recorder.requests.filter(({ form }) => form.Action === action);

function aRequest(change: Partial<RoleSessionRequest> = {}): RoleSessionRequest {
  return {
    roleArn: "arn:aws:iam::111122223333:role/platform/aidlc-provisioner",
    accountId: "111122223333",
    region: "eu-central-1",
    name: "aidlc-operation-1",
    externalId: "aidlc-of-research",
    tags: { team: "research", pipeline: "penguins", operation: "operation-1" },
    policy: '{"Version":"2012-10-17","Statement":[]}',
    ...change,
  };
}

describe("a session of a role", () => {
  it("is asked for with the external id, tags, policy and name of its operation, for an hour", async () => {
    await roleSession(aRequest())();
    const [assumed, ...others] = asked("AssumeRole");
    expect(others).toEqual([]);
    expect(assumed?.accessKeyId).toBe("AKIAIOSFODNN7EXAMPLE");
    expect(assumed?.form).toMatchObject({
      RoleArn: "arn:aws:iam::111122223333:role/platform/aidlc-provisioner",
      RoleSessionName: "aidlc-operation-1",
      ExternalId: "aidlc-of-research",
      DurationSeconds: "3600",
      Policy: '{"Version":"2012-10-17","Statement":[]}',
      "Tags.member.1.Key": "team",
      "Tags.member.1.Value": "research",
      "Tags.member.2.Key": "pipeline",
      "Tags.member.2.Value": "penguins",
      "Tags.member.3.Key": "operation",
      "Tags.member.3.Value": "operation-1",
    });
  });

  it("is proved to be the role's, in its account, with its own credentials before anybody gets it", async () => {
    const { accessKeyId, expiration } = await roleSession(aRequest())();
    expect(asked("GetCallerIdentity").map((request) => request.accessKeyId)).toEqual([accessKeyId]);
    expect(accessKeyId).not.toBe("AKIAIOSFODNN7EXAMPLE");
    expect(expiration.getTime()).toBeGreaterThan(Date.now() + 50 * 60_000);
  });

  it("of another account is refused, and both accounts are named", async () => {
    const session = roleSession(aRequest({ roleArn: "arn:aws:iam::444455556666:role/aidlc-provisioner" }));
    await expect(session()).rejects.toMatchObject({
      code: "account_refused",
      message: expect.stringMatching(/444455556666.*not of the registered account 111122223333/),
    });
  });

  it("that AWS doesn't give for the external id is refused, with the remedy and without the external id", async () => {
    answer = ({ form }) =>
      form.Action === "AssumeRole" && form.ExternalId !== "what the trust policy asks for"
        ? stsError("AccessDenied", "User is not authorized to perform: sts:AssumeRole")
        : undefined;
    const refused = await roleSession(aRequest())().catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: "account_refused",
      message: expect.stringMatching(/role\/platform\/aidlc-provisioner \(AccessDenied\).*sts:TagSession/),
    });
    expect(String(refused)).not.toContain("aidlc-of-research");
  });

  it("is unavailable, not refused, while STS doesn't answer", async () => {
    vi.stubEnv("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    await expect(roleSession(aRequest())()).rejects.toMatchObject({ code: "unavailable" });
  });

  it("is renewed long enough before its end, once for all who ask, and proved again", async () => {
    let now = new Date();
    const session = roleSession(aRequest(), () => now);
    const first = await session();
    now = new Date(first.expiration.getTime() - 16 * 60_000);
    expect(await session()).toBe(first);
    now = new Date(first.expiration.getTime() - 14 * 60_000);
    const [second, third] = await Promise.all([session(), session()]);
    expect(second.accessKeyId).not.toBe(first.accessKeyId);
    expect(third).toBe(second);
    expect(asked("AssumeRole")).toHaveLength(2);
    expect(asked("GetCallerIdentity").map(({ accessKeyId }) => accessKeyId)).toEqual([
      first.accessKeyId,
      second.accessKeyId,
    ]);
  });

  it("that can't be renewed serves until its end and no longer", async () => {
    let now = new Date();
    const session = roleSession(aRequest(), () => now);
    const first = await session();
    answer = () => stsError("ExpiredToken", "The service's own token expired");
    now = new Date(first.expiration.getTime() - 60_000);
    expect(await session()).toBe(first);
    now = first.expiration;
    await expect(session()).rejects.toMatchObject({ code: "account_refused" });
  });

  it("is refused at once for an account without a role: the service's own identity is not lent", () => {
    const account = {
      team: "research",
      name: "main",
      aws: { accountId: "111122223333", region: "eu-central-1" },
      externalId: "aidlc-of-research",
    };
    expect(() => teamSession(account, aRequest())).toThrow('Account "main" has no role');
    expect(recorder.requests).toEqual([]);
  });
});
