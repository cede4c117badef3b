import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { pipelineNames } from "../../../programs/names.ts";
import { pipelineOwner } from "../../../src/pipelines/owner.ts";
import { awsAccount, type Document, uniqueName, validSpec } from "../../support/builders.ts";
import { type Api, startApi } from "../api.ts";

let api: Api;
let team: string;
let pipeline: string;
let url: string;

beforeAll(async () => {
  api = await startApi();
  team = await api.teamWithAccount();
});

beforeEach(async () => {
  pipeline = uniqueName("churn");
  url = `/v1/teams/${team}/pipelines/${pipeline}`;
  await api.send("PUT", url, { body: validSpec() });
});

afterAll(() => api.close());

/** A release that fits the pipeline; its account is that of `teamWithAccount`. */
async function fittingRelease(change: Document = {}): Promise<Document> {
  const { accountId, region } = (await api.send("GET", `/v1/teams/${team}/accounts/main`)).body;
  const group = pipelineNames({ account: awsAccount({ accountId, region }), team, pipeline }).named("models");
  return {
    modelPackageArn: `arn:aws:sagemaker:${region}:${accountId}:model-package/${group}/1`,
    imageDigest: `sha256:${"a".repeat(64)}`,
    endpoint: { name: "live", variantName: "main" },
    ...change,
  };
}

/** The release that the program gets with a spec. */
async function releaseIn(spec: Document): Promise<Document> {
  const { rows } = await api.database.pool.query("select id from pipelines where name = $1", [pipeline]);
  const { input } = (await pipelineOwner({
    pool: api.database.pool,
    audit: api.audit,
  }).programFor({
    team,
    subject: { type: "pipeline", pipeline, pipelineId: rows[0].id },
    revision: 1,
    options: { spec },
  } as never)) as Document;
  return input.release;
}

describe("a release", () => {
  it("is recorded and updates the pipeline with what it brings", async () => {
    const release = await fittingRelease();
    const answer = await api.send("POST", `${url}/releases`, { body: release });
    expect(answer).toMatchObject({ status: 202, body: { kind: "update", state: "queued", revision: 1 } });
    const listed = await api.send("GET", `${url}/releases`);
    expect(listed.body.items).toMatchObject([{ number: 1, release }]);

    expect(await releaseIn(validSpec())).toEqual(release);
  });

  it("is recorded once when it comes again, and the newest counts", async () => {
    const first = await fittingRelease();
    const second = await fittingRelease({ imageDigest: `sha256:${"b".repeat(64)}` });
    for (const body of [first, first, second]) await api.send("POST", `${url}/releases`, { body });
    const { body } = await api.send("GET", `${url}/releases?limit=1`);
    expect(body.items).toMatchObject([{ number: 2, release: second }]);
    const next = await api.send("GET", `${url}/releases?cursor=${body.nextCursor}`);
    expect(next.body.items).toMatchObject([{ number: 1, release: first }]);
  });

  it("counts in its own serving mode only", async () => {
    await api.send("POST", `${url}/releases`, { body: await fittingRelease() });
    expect(await releaseIn(validSpec())).toBeDefined();
    const byFunction = validSpec((spec: Document) => {
      spec.serving = { mode: "lambda" };
    });
    expect(await releaseIn(byFunction)).toBeUndefined();
  });

  it("of another pipeline's model is refused", async () => {
    const { modelPackageArn } = await fittingRelease();
    const body = await fittingRelease({ modelPackageArn: modelPackageArn.replace("-models/", "-others/") });
    expect(await api.send("POST", `${url}/releases`, { body })).toMatchObject({
      status: 400,
      body: { code: "invalid_request", errors: [{ path: "/modelPackageArn" }] },
    });
  });

  it("without an endpoint is refused where an endpoint serves, and with one where none does", async () => {
    const { endpoint: _, ...withoutEndpoint } = await fittingRelease();
    expect(await api.send("POST", `${url}/releases`, { body: withoutEndpoint })).toMatchObject({
      status: 400,
      body: { errors: [{ path: "/endpoint" }] },
    });
    await api.send("PATCH", url, { body: { serving: { mode: "lambda" } } });
    expect(await api.send("POST", `${url}/releases`, { body: await fittingRelease() })).toMatchObject({
      status: 400,
      body: { errors: [{ path: "/endpoint" }] },
    });
    expect(await api.send("POST", `${url}/releases`, { body: withoutEndpoint })).toMatchObject({
      status: 202,
    });
  });
});
