import { CreateFeatureGroupCommand, SageMakerClient } from "@aws-sdk/client-sagemaker";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHandler } from "../../handlers/features/handler.ts";
import { featureDefinitions } from "../../programs/catalog-schema.ts";
import type { PipelineSpec } from "../../programs/spec.ts";
import { aSpec } from "../programs/support/inputs.ts";
import { type AwsAnswer, type AwsRecorder, recordAws } from "../support/aws-recorder.ts";
import { someFeatures } from "./support/accepted-records.ts";
import { expectExactGrants } from "./support/granted-calls.ts";
import { lambdaContext, objectCreated, sqsEvent } from "./support/lambda-events.ts";
import { type PipelineInAws, pipelineInAws } from "./support/pipeline-in-aws.ts";

const SCHEMA: PipelineSpec["dataset"]["schema"] = [
  { name: "id", type: "integer", nullable: false },
  { name: "at", type: "timestamp", nullable: false },
  { name: "amount", type: "number", nullable: true },
  { name: "paid", type: "boolean", nullable: false },
  { name: "day", type: "date", nullable: false },
  { name: "note", type: "string", nullable: true },
];

const FEATURES = someFeatures({
  target: "paid",
  derive: [
    { name: "hour", operation: "datePart", column: "at", part: "hour" },
    { name: "late", operation: "flag", column: "hour", is: "above", value: 12 },
    { name: "amountBin", operation: "quantileBin", column: "amount", bins: 2 },
    { name: "inBin", operation: "product", columns: ["amountBin", "amount"] },
  ],
  scale: [{ columns: ["amount"], method: "standard" }],
});

const HEADER = "id,at,amount,paid,day,note\n";
const rows = (count: number) =>
  Array.from({ length: count }, (_, id) => `${id},2024-06-01T12:00:00Z,0.5,true,2024-06-01,n\n`).join("");

interface Put {
  readonly Record: readonly { readonly FeatureName: string; readonly ValueAsString: string }[];
}

const ACCEPTED: AwsAnswer = { status: 200, type: "application/json", body: "" };

let aws: PipelineInAws;
const pipelines: PipelineInAws[] = [];
/** The emulator knows no PutRecord, so this answers for it, by what the record says. */
let recorder: AwsRecorder;
let records: Record<string, string>[];
let answer: (record: Readonly<Record<string, string>>) => AwsAnswer;

beforeEach(async () => {
  records = [];
  answer = () => ACCEPTED;
  aws = await pipelineInAws(
    aSpec({
      dataset: {
        schema: SCHEMA,
        features: FEATURES,
        featureStore: { recordIdentifier: "id", eventTime: "at", online: true },
      },
    }),
  );
  pipelines.push(aws);
  const { AWS_ENDPOINT_URL: endpoint = "", AWS_REGION: region = "" } = aws.environmentOf("features");
  const { names, spec, arns } = aws.setting;
  await new SageMakerClient({ endpoint, region }).send(
    new CreateFeatureGroupCommand({
      FeatureGroupName: names.named("features"),
      RecordIdentifierFeatureName: "id",
      EventTimeFeatureName: "at",
      FeatureDefinitions: featureDefinitions(spec.dataset).map(({ featureName, featureType }) => ({
        FeatureName: featureName,
        FeatureType: featureType,
      })),
      OfflineStoreConfig: { S3StorageConfig: { S3Uri: `s3://${aws.bucket("features")}/feature-store/` } },
      RoleArn: arns.role(names.named("feature-store")),
    }),
  );
  recorder = await recordAws(endpoint, ({ method, path, body }) => {
    if (method !== "PUT" || path !== `/FeatureGroup/${names.named("features")}`) return undefined;
    const { Record } = JSON.parse(body) as Put;
    const record = Object.fromEntries(Record.map((value) => [value.FeatureName, value.ValueAsString]));
    const given = answer(record);
    if (given.status === 200) records.push(record);
    return given;
  });
});
afterEach(() => recorder.close());

const handler = () => createHandler({ ...aws.environmentOf("features"), AWS_ENDPOINT_URL: recorder.url });
const accept = async (key: string, content: string) => {
  const versionId = await aws.put("validated", key, content);
  return objectCreated({ bucket: aws.bucket("validated"), key, versionId });
};
const queue = (...bodies: unknown[]) => sqsEvent(aws.setting.names.named("features"), bodies);
const failed = (...ids: string[]) => ({
  batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })),
});

describe("accepted rows", () => {
  it("become records with Feature Store's types, and what is derived of them alone", async () => {
    const event = await accept(
      "data/2024/one file+1.csv",
      `${HEADER}9007199254740993,2024-06-01T14:30:00+02:00,0.1,true,2024-02-29,"a, b"\n2,2024-06-01T13:00:00Z,,false,2024-03-01,\n`,
    );
    expect(await handler()(queue(event), lambdaContext())).toEqual(failed());
    // They are put side by side.
    expect(records.sort((one, other) => Number(other.id) - Number(one.id))).toEqual([
      {
        id: "9007199254740993",
        at: "2024-06-01T12:30:00.000Z",
        amount: "0.1",
        paid: "1",
        day: "2024-02-29",
        note: "a, b",
        hour: "12.0",
        late: "0.0",
      },
      { id: "2", at: "2024-06-01T13:00:00.000Z", paid: "0", day: "2024-03-01", hour: "13.0", late: "1.0" },
    ]);
  });

  it("are put once, however often their object is told of", async () => {
    const event = await accept("data/one.csv", HEADER + rows(3));
    const handle = handler();
    await handle(queue(event, event), lambdaContext());
    await handler()(queue(event), lambdaContext());
    expect(records).toHaveLength(3);
    const newer = await accept("data/one.csv", HEADER + rows(2));
    await handle(queue(newer), lambdaContext());
    expect(records).toHaveLength(5);
  });

  it("of a large object go on where time ran out", async () => {
    const event = await accept("data/large.csv", HEADER + rows(2100));
    let left = 900_000;
    answer = ({ id }) => {
      if (id === "100") left = 10_000;
      return ACCEPTED;
    };
    const other = await accept("data/other.csv", HEADER + rows(1));
    expect(
      await handler()(
        queue(event, other),
        lambdaContext(() => left),
      ),
    ).toEqual(failed("m1", "m2"));
    // DuckDB gives 2,048 rows at a time.
    expect(records).toHaveLength(2048);
    left = 900_000;
    expect(
      await handler()(
        queue(event, other),
        lambdaContext(() => left),
      ),
    ).toEqual(failed());
    expect(records).toHaveLength(2101);
    expect(new Set(records.map(({ id }) => id)).size).toBe(2100);
    // Two thousand requests, on a machine that may be busy.
  }, 120_000);
});

describe("what goes wrong with one object", () => {
  it("leaves the others alone", async () => {
    const good = await accept("data/good.csv", HEADER + rows(2));
    const bad = await accept("data/bad.csv", `${HEADER}13,2024-06-01T12:00:00Z,1,true,2024-06-01,n\n`);
    answer = ({ id }) =>
      id === "13"
        ? {
            status: 400,
            type: "application/json",
            body: JSON.stringify({ __type: "ValidationError", message: "no" }),
          }
        : ACCEPTED;
    const elsewhere = objectCreated({ bucket: aws.bucket("raw"), key: "data/x.csv", versionId: "1" });
    const gone = objectCreated({ bucket: aws.bucket("validated"), key: "data/gone.csv", versionId: "1" });
    expect(await handler()(queue(bad, good, elsewhere, "{}", "no JSON", gone), lambdaContext())).toEqual(
      failed("m1", "m3", "m4", "m5", "m6"),
    );
    expect(records).toHaveLength(2);
    answer = () => ACCEPTED;
    expect(await handler()(queue(bad), lambdaContext())).toEqual(failed());
  });

  it("is no throttling: the SDK asks again", async () => {
    const event = await accept("data/one.csv", HEADER + rows(20));
    let refusals = 10;
    answer = () =>
      refusals-- > 0
        ? { status: 400, type: "application/json", body: JSON.stringify({ __type: "ThrottlingException" }) }
        : ACCEPTED;
    expect(await handler()(queue(event), lambdaContext())).toEqual(failed());
    expect(records).toHaveLength(20);
  });
});

expectExactGrants(() => pipelines.flatMap((made) => made.grantsOf("features")), {
  "s3:ListBucket":
    "S3 answers 403 for a missing object to whoever may not list it; the emulator always answers 404",
});
