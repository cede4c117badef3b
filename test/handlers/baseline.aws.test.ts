import type { Context, SQSEvent } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, expect, inject, it } from "vitest";
import { createHandler } from "../../handlers/baseline/handler.ts";
import { readBaseline } from "../../handlers/dataset/baseline-store.ts";
import { mergeProfiles, type Profile } from "../../handlers/dataset/profile.ts";
import { writeProfile } from "../../handlers/dataset/profile-store.ts";
import { type AwsRecorder, recordAws } from "../support/aws-recorder.ts";
import { json, jsonError } from "./support/aws-answers.ts";
import { expectExactGrants } from "./support/granted-calls.ts";
import { objectCreated, sqsEvent } from "./support/lambda-events.ts";
import { type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";
import { FLIGHT_COLUMNS, FLIGHTS, profileOf, profileOfNumbers } from "./support/profiles.ts";

const NOW = new Date("2026-03-01T12:00:00Z");

let pipeline: PipelineInAws;
let aws: AwsRecorder;
let lineage: "taken" | "refused";

/** The emulator has no lineage graph. */
beforeAll(async () => {
  aws = await recordAws(inject("awsUrl"), ({ target }) => {
    const asked = target === "SageMaker.CreateArtifact" || target === "SageMaker.AddAssociation";
    if (!asked) return undefined;
    return lineage === "refused"
      ? jsonError("ResourceLimitExceeded", "No more artifacts")
      : json({ ArtifactArn: `arn:aws:sagemaker:eu-west-1:123456789012:artifact/${"a".repeat(32)}` });
  });
});

afterAll(() => aws.close());

const pipelines: PipelineInAws[] = [];

beforeEach(async () => {
  lineage = "taken";
  pipeline = await pipelineInAws();
  pipelines.push(pipeline);
});

const bucket = () => pipeline.bucket("validated");
const aHandler = () =>
  createHandler({ ...pipeline.environmentOf("baseline"), AWS_ENDPOINT_URL: aws.url }, () => NOW);

/** Accepted data with its profile, as validation leaves it. */
async function accept(key: string, profile: Profile) {
  const versionId = await pipeline.put("validated", key, "accepted");
  await writeProfile(pipeline.s3, bucket(), { key, versionId }, profile);
  return { key, versionId };
}

interface Told {
  readonly key: string;
  readonly versionId: string;
  readonly time?: string;
  readonly bucket?: string;
}

/** What EventBridge tells of objects, through the queue. */
const messages = (...told: Told[]): SQSEvent =>
  sqsEvent(
    pipeline.setting.names.named("baseline"),
    told.map(({ key, versionId, time = "2026-03-01T11:59:00Z", ...rest }) => ({
      ...objectCreated({ bucket: rest.bucket ?? bucket(), key, versionId }),
      time,
    })),
  );

const run = (event: SQSEvent) => aHandler()(event, {} as Context);
const baseline = () => readBaseline(pipeline.s3, bucket());
const nothing = { batchItemFailures: [] };

it("makes one version of all objects in a batch, and the next from the one before", async () => {
  expect(await baseline()).toBeUndefined();
  const one = await accept("data/one.csv", profileOfNumbers([1, 2]));
  const two = await accept("data/ü and + two.csv", profileOfNumbers([3]));
  expect(await run(messages(one, two))).toEqual(nothing);
  const first = await baseline();
  expect(first).toEqual({
    version: expect.stringMatching(/^000001-[0-9a-f]{12}$/),
    profile: profileOfNumbers([1, 2, 3]),
  });

  const three = await accept("data/one.csv", profileOfNumbers([4]));
  await run(messages(three));
  expect(await baseline()).toEqual({
    version: expect.stringMatching(/^000002-/),
    profile: profileOfNumbers([1, 2, 3, 4]),
  });
  expect(await pipeline.keysIn("validated", "baselines/")).toHaveLength(3);
  const kept = JSON.parse(String(await pipeline.read("validated", `baselines/${first!.version}.json`)));
  expect(kept.generations[0].objects).toEqual(expect.arrayContaining([one, two]));
});

it("merges an object once, however often it is told of", async () => {
  const one = await accept("data/one.csv", profileOfNumbers([1]));
  await run(messages(one, one));
  await run(messages(one));
  expect(await baseline()).toMatchObject({
    version: expect.stringMatching(/^000001-/),
    profile: { rows: 1 },
  });
});

it("loses nothing when several run at the same time", async () => {
  const values = [1, 2, 3, 4, 5, 6];
  const accepted = await Promise.all(
    values.map((value) => accept(`data/${value}.csv`, profileOfNumbers([value]))),
  );
  const responses = await Promise.all(accepted.map((object) => run(messages(object))));
  expect(responses).toEqual(accepted.map(() => nothing));
  expect(await baseline()).toEqual({
    version: expect.stringMatching(/^000006-/),
    profile: profileOfNumbers(values),
  });
});

it("gives back what has no profile yet, and only that", async () => {
  const one = await accept("data/one.csv", profileOfNumbers([1]));
  const versionId = await pipeline.put("validated", "data/two.csv", "accepted");
  const event = messages(one, { key: "data/two.csv", versionId });
  expect(await run(event)).toEqual({ batchItemFailures: [{ itemIdentifier: event.Records[1]!.messageId }] });
  expect((await baseline())?.profile.rows).toBe(1);
});

it("leaves out what got no profile within two hours", async () => {
  const versionId = await pipeline.put("validated", "data/rewritten.csv", "by an erasure");
  const old = { key: "data/rewritten.csv", versionId, time: "2026-03-01T09:59:59Z" };
  expect(await run(messages(old))).toEqual(nothing);
  expect(await baseline()).toBeUndefined();
});

it("gives back what is no accepted data, or no event", async () => {
  const one = await accept("data/one.csv", profileOfNumbers([1]));
  const event = messages({ ...one, bucket: "another" }, { ...one, key: "baselines/current.json" }, one);
  event.Records[2]!.body = "no event";
  const failed = event.Records.map(({ messageId }) => ({ itemIdentifier: messageId }));
  expect(await run(event)).toEqual({ batchItemFailures: failed });
  expect(await baseline()).toBeUndefined();
});

it("starts anew where the baseline is of a format that it doesn't know", async () => {
  await pipeline.put("validated", "baselines/000041-0123456789ab.json", JSON.stringify({ format: 0 }));
  await pipeline.put(
    "validated",
    "baselines/current.json",
    JSON.stringify({ version: "000041-0123456789ab" }),
  );
  expect(await baseline()).toBeUndefined();
  await run(messages(await accept("data/one.csv", profileOfNumbers([1]))));
  expect(await baseline()).toMatchObject({ profile: { rows: 1 } });
});

it("records each version as derived from the one before", async () => {
  const before = aws.requests.length;
  await run(messages(await accept("data/one.csv", profileOfNumbers([1]))));
  await run(messages(await accept("data/two.csv", profileOfNumbers([2]))));
  const asked = aws.requests
    .slice(before)
    .flatMap(({ target }) => (target?.startsWith("SageMaker.") ? [target] : []));
  expect(asked).toEqual([
    "SageMaker.CreateArtifact",
    "SageMaker.CreateArtifact",
    "SageMaker.CreateArtifact",
    "SageMaker.AddAssociation",
  ]);
});

it("does without the lineage graph where SageMaker takes no more", async () => {
  lineage = "refused";
  expect(await run(messages(await accept("data/one.csv", profileOfNumbers([1]))))).toEqual(nothing);
  expect(await baseline()).toBeDefined();
});

it("covers the flights month by month as it would in one file", async () => {
  const months = await Promise.all(
    [1, 2].map((month) => profileOf(FLIGHT_COLUMNS, `'${FLIGHTS}' WHERE month(date) = ${month}`)),
  );
  for (const [i, month] of months.entries()) await run(messages(await accept(`data/${i}.parquet`, month)));
  const whole = await profileOf(FLIGHT_COLUMNS, `'${FLIGHTS}' WHERE month(date) <= 2`);
  expect((await baseline())?.profile).toEqual(whole);
  expect(whole).toEqual(months.reduce(mergeProfiles));
});

expectExactGrants(() => pipelines.flatMap(({ grantsOf }) => grantsOf("baseline")), {
  "s3:ListBucket": "makes S3 answer 404 instead of 403",
});
