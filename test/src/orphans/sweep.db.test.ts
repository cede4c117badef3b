import { ResourceGroupsTaggingAPIClient } from "@aws-sdk/client-resource-groups-tagging-api";
import pino from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TaggingClients } from "../../../src/aws/tagged-resources.ts";
import { AppError } from "../../../src/errors.ts";
import { sweepOrphans } from "../../../src/orphans/sweep.ts";
import { type Document, validSpec } from "../../support/builders.ts";
import { type Api, startApi } from "../api.ts";
import { PipelineRequests } from "../pipelines/pipeline-requests.ts";

const awsAccountId = "111122223333";
const region = "eu-central-1";
const arnOf = (rest: string) => `arn:aws:sagemaker:${region}:${awsAccountId}:${rest}`;

let api: Api;
let team: string;
let churn: PipelineRequests;
/** What AWS lists, by region: ARN to the name of the pipeline in its tags. */
let listed: Record<string, Record<string, string>>;

beforeAll(async () => {
  api = await startApi();
  team = await api.teamWithAccount();
});

beforeEach(async () => {
  listed = {};
  churn = new PipelineRequests(api, team);
  await sql("truncate orphans, orphan_sweeps");
});

afterAll(() => api.close());

const sql = (text: string, values: unknown[] = []) => api.database.pool.query(text, values);

/** The real clients, which get AWS's answers over the wire from `listed`. */
const tagging: TaggingClients = ({ aws }) =>
  new ResourceGroupsTaggingAPIClient({
    region: aws.region,
    maxAttempts: 1,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    requestHandler: {
      handle: async () => {
        const mappings = Object.entries(listed[aws.region] ?? {}).map(([ResourceARN, pipeline]) => ({
          ResourceARN,
          Tags: Object.entries({
            "aidlc:managed-by": "aidlc",
            "aidlc:team": team,
            "aidlc:pipeline": pipeline,
          }).map(([Key, Value]) => ({ Key, Value })),
        }));
        const body = JSON.stringify({ ResourceTagMappingList: mappings, PaginationToken: "" });
        const headers = { "content-type": "application/x-amz-json-1.1" };
        return { response: { statusCode: 200, headers, body: new TextEncoder().encode(body) } } as never;
      },
    } as never,
  });

const sweep = (now = new Date(), clients = tagging) =>
  sweepOrphans({ pool: api.database.pool, tagging: clients, log: pino({ level: "silent" }) }, now);
const report = async (): Promise<Document[]> => (await api.send("GET", "/v1/orphans")).body.items;
const orphans = async () => {
  const found = (await report()).find((each) => each.region === region);
  return found.orphans.map(({ arn }: { arn: string }) => arn);
};
async function knows(arn: string | null, awsId: string): Promise<void> {
  const { rows } = await sql("select stack_id from pipelines where team = $1 and name = $2", [
    team,
    churn.name,
  ]);
  await sql(
    `insert into resources (stack_id, urn, position, type, name, aws_id, dependencies, inputs, outputs)
     values ($1, $2, 0, 'aws:sagemaker/x:X', 'x', $3, '{}', '{}', $4)`,
    [rows[0].stack_id, `urn:${awsId}`, awsId, arn === null ? {} : { arn }],
  );
}

describe("a sweep", () => {
  it("reports what bears our tags and no stack knows, with its owner and its first sighting", async () => {
    await churn.applied((await churn.put()).body.id);
    await knows(arnOf("pipeline/known"), "known");
    listed[region] = { [arnOf("pipeline/known")]: churn.name, [arnOf("pipeline/lost")]: churn.name };
    const [first, second] = [new Date("2026-06-01T00:00:00Z"), new Date("2026-06-02T00:00:00Z")];
    await sweep(first);
    await sweep(second);
    const found = (await report()).find((each) => each.region === region);
    expect(found).toEqual({
      awsAccountId,
      region,
      resources: 2,
      sweptAt: second.toISOString(),
      triedAt: second.toISOString(),
      orphans: [
        {
          arn: arnOf("pipeline/lost"),
          team,
          pipeline: churn.name,
          firstSeenAt: first.toISOString(),
          lastSeenAt: second.toISOString(),
        },
      ],
    });
  });

  it("forgets what is gone, or known again", async () => {
    await churn.applied((await churn.put()).body.id);
    listed[region] = { [arnOf("pipeline/a")]: churn.name, [arnOf("pipeline/b")]: churn.name };
    await sweep();
    expect(await orphans()).toHaveLength(2);
    delete listed[region][arnOf("pipeline/a")];
    await knows(arnOf("pipeline/b"), "b");
    await sweep();
    expect(await orphans()).toEqual([]);
  });

  it("knows by its id what the provider tells no ARN of, in its own stack only", async () => {
    await churn.applied((await churn.put()).body.id);
    await knows(null, "training");
    listed[region] = { [arnOf("pipeline/training")]: churn.name, [arnOf("model/training")]: "another" };
    await sweep();
    expect(await orphans()).toEqual([arnOf("model/training")]);
  });

  it("takes for no orphan what a running operation is just creating", async () => {
    const { body: update } = await churn.put();
    listed[region] = { [arnOf("pipeline/new")]: churn.name };
    await sql("update operations set state = 'running', started_at = now() where id = $1", [update.id]);
    await sweep();
    expect(await orphans()).toEqual([]);
    await sql("update operations set state = 'failed', finished_at = now() where id = $1", [update.id]);
    await sweep();
    expect(await orphans()).toEqual([arnOf("pipeline/new")]);
  });

  it("takes a release's endpoint for an orphan only once its pipeline is gone", async () => {
    await churn.applied((await churn.put()).body.id);
    listed[region] = { [arnOf("endpoint/blue")]: churn.name };
    await sweep();
    expect(await orphans()).toEqual([]);
    await churn.destroyed((await churn.delete()).body.id);
    await sweep();
    expect(await orphans()).toEqual([arnOf("endpoint/blue")]);
  });

  it("takes a model's versions for no orphans while their pipeline's data is retained", async () => {
    await churn.applied((await churn.put()).body.id);
    await knows(arnOf("model-package-group/models"), "models");
    listed[region] = { [arnOf("model-package/models/1")]: churn.name };
    await churn.destroyed((await churn.delete()).body.id);
    await sweep();
    expect(await orphans()).toEqual([]);
    await sql("delete from resources");
    await sweep();
    expect(await orphans()).toEqual([arnOf("model-package/models/1")]);
  });

  it("looks once per account at what belongs to no region", async () => {
    listed["us-east-1"] = { "arn:aws:cloudfront::111122223333:distribution/E1": churn.name };
    await sweep();
    const global = (await report()).find((each) => each.region === "us-east-1");
    expect(global.orphans).toHaveLength(1);
  });

  it("keeps what it knew of an account that can't be looked into, and says why", async () => {
    listed[region] = { [arnOf("pipeline/lost")]: churn.name };
    await sweep(new Date("2026-06-01T00:00:00Z"));
    await sweep(new Date("2026-06-02T00:00:00Z"), () => {
      throw new AppError("account_refused", "AWS doesn't let the service assume the role");
    });
    const found = (await report()).find((each) => each.region === region);
    expect(found).toMatchObject({
      sweptAt: "2026-06-01T00:00:00.000Z",
      triedAt: "2026-06-02T00:00:00.000Z",
      error: "AWS doesn't let the service assume the role",
      orphans: [{ arn: arnOf("pipeline/lost") }],
    });
  });
});

describe("the report", () => {
  it("comes in pages by account and region", async () => {
    await churn.put(validSpec());
    await sweep();
    const first = (await api.send("GET", "/v1/orphans?limit=1")).body;
    const second = (await api.send("GET", `/v1/orphans?limit=1&cursor=${first.nextCursor}`)).body;
    expect([first.items[0].region, second.items[0].region]).toEqual([region, "us-east-1"]);
    expect(second.nextCursor).toBeUndefined();
  });
});
