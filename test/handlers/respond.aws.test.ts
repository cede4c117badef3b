import { randomBytes, randomUUID } from "node:crypto";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  GetLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { GetObjectTaggingCommand, PutObjectTaggingCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHandler } from "../../handlers/respond/handler.ts";
import { TRAINING_MANIFEST } from "../../programs/storage-layout.ts";
import { aSpec } from "../programs/support/inputs.ts";
import { type AwsRecorder, type AwsRequest, recordAws } from "../support/aws-recorder.ts";
import { expectExactGrants } from "./support/granted-calls.ts";
import { aDelivery, aFinding, anAccessKey, anAlarm, aTampering, aThreat } from "./support/incidents.ts";
import { emulatorClient, type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";

// CloudWatch takes no log events that are older than two weeks.
const NOW = new Date();
const CONTEXT = { awsRequestId: "8c9f7a1e-0000-4000-8000-000000000001" };

let pipeline: PipelineInAws;
let recorder: AwsRecorder;
let respond: (event: object | string) => Promise<void>;
/** Which requests S3 refuses. */
let failing: (request: AwsRequest) => boolean = () => false;
/** How the next runbooks end. */
let endings: string[] = [];

const started = () =>
  recorder.requests
    .filter(({ target }) => target === "AmazonSSM.StartAutomationExecution")
    .map(({ body }) => JSON.parse(body) as { ClientToken: string; DocumentName: string; Parameters: object });

const REFUSED = {
  status: 403,
  type: "application/xml",
  body: "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
};

/** The emulator has no automation: what Systems Manager would say is said here. */
function automation(request: AwsRequest) {
  if (failing(request)) return REFUSED;
  const { target, body } = request;
  const json = (content: object) => ({
    status: 200,
    type: "application/x-amz-json-1.1",
    body: JSON.stringify(content),
  });
  if (target === "AmazonSSM.StartAutomationExecution") {
    return json({ AutomationExecutionId: JSON.parse(body).ClientToken });
  }
  if (target !== "AmazonSSM.GetAutomationExecution") return undefined;
  return json({ AutomationExecution: { AutomationExecutionStatus: endings.shift() ?? "Success" } });
}

beforeAll(async () => {
  pipeline = await pipelineInAws(
    aSpec({
      profile: "production",
      dataset: { replicaRegion: "eu-central-1" },
      alerts: { emails: ["ada@example.com"] },
    }),
  );
  const env = pipeline.environmentOf("respond");
  recorder = await recordAws(env.AWS_ENDPOINT_URL ?? "", automation);
  await emulatorClient(CloudWatchLogsClient, env).send(
    new CreateLogGroupCommand({ logGroupName: pipeline.setting.names.logGroup("incidents") }),
  );
  const handler = createHandler(
    { ...env, AWS_ENDPOINT_URL: recorder.url },
    () => NOW,
    async () => undefined,
  );
  respond = (event) => handler(aDelivery(event), CONTEXT);
});

afterAll(() => recorder.close());

async function recordOf({ id }: { readonly id: string }): Promise<Record<string, unknown>[]> {
  const logs = emulatorClient(CloudWatchLogsClient, pipeline.environmentOf("respond"));
  const { events = [] } = await logs.send(
    new GetLogEventsCommand({
      logGroupName: pipeline.setting.names.logGroup("incidents"),
      logStreamName: id,
      startFromHead: true,
    }),
  );
  return events.map(({ message = "" }) => JSON.parse(message));
}

const own = (part: string) => pipeline.setting.names.named(part);

const maliciousFile = (key: string, versionId: string, bucket: "raw" | "validated" = "raw") =>
  aThreat({
    type: "Object:S3/MaliciousFile",
    severity: 8,
    resource: {
      resourceType: "S3Object",
      s3BucketDetails: [{ name: pipeline.bucket(bucket), s3ObjectDetails: [{ key, versionId }] }],
    },
  });

const stolenRole = (role: string) =>
  aThreat({
    type: "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
    severity: 8,
    resource: { resourceType: "AccessKey", accessKeyDetails: anAccessKey(role) },
  });

const tagsOf = async (Key: string) => {
  const { TagSet = [] } = await pipeline.s3.send(
    new GetObjectTaggingCommand({ Bucket: pipeline.bucket("raw"), Key }),
  );
  return Object.fromEntries(TagSet.map(({ Key = "", Value }) => [Key, Value]));
};

describe("an object that a finding names", () => {
  it.each([
    ["small", 100],
    ["in several parts", 17 * 1024 * 1024],
    ["empty", 0],
  ])("is marked beside its other tags and copied byte by byte: %s", async (name, bytes) => {
    const key = `in/${name} file+1.csv`;
    const content = randomBytes(bytes);
    const versionId = await pipeline.put("raw", key, content);
    await pipeline.s3.send(
      new PutObjectTaggingCommand({
        Bucket: pipeline.bucket("raw"),
        Key: key,
        Tagging: { TagSet: [{ Key: "source", Value: "crm" }] },
      }),
    );
    const event = maliciousFile(key, versionId);
    await respond(event);

    expect(await tagsOf(key)).toEqual({ source: "crm", "aidlc:quarantined": "true" });
    const copy = `incidents/${event.id}/raw/${versionId}/${key}`;
    expect((await pipeline.read("quarantine", copy)).equals(content)).toBe(true);
    expect(await pipeline.takeAlerts()).toMatchObject([
      {
        severity: "critical",
        code: "incident",
        detail: { eventId: event.id, type: "Object:S3/MaliciousFile" },
      },
    ]);
  });

  it("is recorded with who did what, when and why, in one stream for the event", async () => {
    const versionId = await pipeline.put("raw", "in/b.csv", "a,b\n");
    const event = maliciousFile("in/b.csv", versionId);
    await respond(event);
    const entry = { eventId: event.id, at: NOW.toISOString(), by: `respond/${CONTEXT.awsRequestId}` };
    expect(await recordOf(event)).toEqual([
      {
        ...entry,
        entry: "begun",
        cause: { kind: "threat", finding: expect.any(String), type: "Object:S3/MaliciousFile", severity: 8 },
      },
      {
        ...entry,
        entry: "acted",
        action: { kind: "quarantine", bucket: "raw", key: "in/b.csv", versionId },
        outcome: "done",
        detail: {
          bytes: 4,
          sha256: "5be08c9684a1d25efcee09318204824278b08bbfb4aef973ffefd0b9d7478313",
          copy: `s3://${pipeline.bucket("quarantine")}/incidents/${event.id}/raw/${versionId}/in/b.csv`,
          versionId,
        },
      },
      { ...entry, entry: "told", detail: { severity: "critical" } },
      { ...entry, entry: "ended" },
    ]);
    await pipeline.takeAlerts();
  });

  it("without a version is the newest one", async () => {
    await pipeline.put("validated", "data/c.csv", "old\n");
    const versionId = await pipeline.put("validated", "data/c.csv", "new\n");
    const id = `arn:aws:s3:::${pipeline.bucket("validated")}/data/c.csv`;
    const event = aFinding(["Effects/Data Exposure"], [{ Type: "AwsS3Object", Id: id }]);
    await respond(event);
    const copy = await pipeline.read("quarantine", `incidents/${event.id}/validated/data/c.csv`);
    expect(copy.toString()).toBe("new\n");
    expect((await recordOf(event))[1]).toMatchObject({ outcome: "done", detail: { versionId } });
    await pipeline.takeAlerts();
  });

  describe("and that is accepted data", () => {
    const theManifest = async () =>
      JSON.parse((await pipeline.read("validated", TRAINING_MANIFEST)).toString()) as unknown[];
    const list = (...keys: string[]) =>
      pipeline.put(
        "validated",
        TRAINING_MANIFEST,
        JSON.stringify([{ prefix: `s3://${pipeline.bucket("validated")}/` }, ...keys]),
      );

    it("leaves the list of what is trained on, which nobody but the responder could read any more", async () => {
      const versionId = await pipeline.put("validated", "data/bad.csv", "a,b\n");
      await list("data/good.csv", "data/bad.csv", "data/better.csv");
      const event = maliciousFile("data/bad.csv", versionId, "validated");
      await respond(event);
      expect((await theManifest()).slice(1)).toEqual(["data/good.csv", "data/better.csv"]);
      expect((await recordOf(event))[1]).toMatchObject({ outcome: "done", detail: { listed: false } });
      await respond({ ...event, id: randomUUID() });
      expect((await theManifest()).slice(1)).toEqual(["data/good.csv", "data/better.csv"]);
      await pipeline.takeAlerts();
    });

    it("stays listed where a newer version, which is not the one that was found, is what a training reads", async () => {
      const found = await pipeline.put("validated", "data/replaced.csv", "bad\n");
      await pipeline.put("validated", "data/replaced.csv", "good\n");
      await list("data/replaced.csv");
      const event = maliciousFile("data/replaced.csv", found, "validated");
      await respond(event);
      expect((await theManifest()).slice(1)).toEqual(["data/replaced.csv"]);
      expect((await recordOf(event))[1]).not.toHaveProperty("detail.listed");
      await pipeline.takeAlerts();
    });

    it("leaves the list also where its copy fails and is tried again", async () => {
      const key = "data/large.csv";
      const versionId = await pipeline.put("validated", key, "a,b\n");
      await list(key, "data/good.csv");
      const event = maliciousFile(key, versionId, "validated");
      failing = ({ method, path }) => method === "PUT" && path.includes("/incidents/");
      await expect(respond(event)).rejects.toThrow(/1 of 1 actions failed/);
      failing = () => false;
      expect((await theManifest()).slice(1)).toEqual(["data/good.csv"]);
      await respond(event);
      expect(await recordOf(event)).toContainEqual(
        expect.objectContaining({ outcome: "done", detail: expect.objectContaining({ listed: false }) }),
      );
      await pipeline.takeAlerts();
    });
  });

  it("may be gone by then", async () => {
    const event = maliciousFile("in/gone.csv", "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY");
    await respond(event);
    expect(await recordOf(event)).toContainEqual(
      expect.objectContaining({ entry: "acted", outcome: "gone" }),
    );
    await pipeline.takeAlerts();
  });
});

describe("a role or function that a finding names", () => {
  it("is revoked or disabled by a runbook that is followed to its end", async () => {
    endings = ["Pending", "Success"];
    const event = stolenRole(own("training"));
    await respond(event);
    const disable = aThreat({
      type: "Backdoor:Lambda/C&CActivity.B",
      severity: 8,
      resource: { resourceType: "Lambda", lambdaDetails: { functionName: own("gate") } },
    });
    await respond(disable);
    expect(started().slice(-2)).toEqual([
      {
        DocumentName: own("revoke-role"),
        Parameters: { RoleName: [own("training")] },
        ClientToken: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      },
      {
        DocumentName: own("disable"),
        Parameters: { FunctionName: [own("gate")] },
        ClientToken: expect.any(String),
      },
    ]);
    expect(await recordOf(event)).toContainEqual(
      expect.objectContaining({
        action: { kind: "revoke", role: own("training") },
        outcome: "done",
        detail: { execution: started().at(-2)?.ClientToken },
      }),
    );
    await pipeline.takeAlerts();
  });

  it("is tried anew by another execution when one failed, and people are told once", async () => {
    endings = ["Failed"];
    const event = stolenRole(own("validate"));
    await expect(respond(event)).rejects.toThrow(/1 of 1 actions failed/);
    await respond(event);
    const [failed, second] = started().slice(-2);
    expect(second?.ClientToken).not.toBe(failed?.ClientToken);
    expect((await recordOf(event)).map(({ entry, outcome }) => outcome ?? entry)).toEqual([
      "begun",
      "failed",
      "told",
      "done",
      "ended",
    ]);
    expect(await pipeline.takeAlerts()).toHaveLength(1);
  });
});

describe("an event", () => {
  it("that is delivered twice is answered once", async () => {
    const event = aTampering(own("etl"));
    await respond(event);
    const [runs, record] = [started().length, await recordOf(event)];
    await respond(event);
    expect(started()).toHaveLength(runs);
    expect(await recordOf(event)).toEqual(record);
    expect(await pipeline.takeAlerts()).toHaveLength(1);
  });

  it("that has no rule is told, and acted on in no way", async () => {
    const runs = started().length;
    await respond('{"source":"aws.health"}');
    expect(started()).toHaveLength(runs);
    expect(await pipeline.takeAlerts()).toMatchObject([{ severity: "warning", detail: { kind: "unknown" } }]);
  });

  it("is not answered unseen: what can't be recorded fails before anything is done", async () => {
    const longAgo = () => new Date("2020-01-01T00:00:00Z");
    const env = { ...pipeline.environmentOf("respond"), AWS_ENDPOINT_URL: recorder.url };
    const runs = started().length;
    const delivery = aDelivery(stolenRole(own("training")));
    await expect(createHandler(env, longAgo)(delivery, CONTEXT)).rejects.toThrow(/refused the record/);
    expect(started()).toHaveLength(runs);
  });

  it("about an alarm is recorded and told by nobody but the alarm", async () => {
    const event = anAlarm(own("run-failed"));
    await respond(event);
    expect((await recordOf(event)).map(({ entry }) => entry)).toEqual(["begun", "told", "ended"]);
    expect(await pipeline.takeAlerts()).toEqual([]);
  });
});

expectExactGrants(() => pipeline.grantsOf("respond"), {
  "s3:ListBucket": "Lets S3 say that an object is gone instead of refusing to read it",
  "s3:AbortMultipartUpload": "The SDK gives up an upload of several parts when one of them fails for good",
});
